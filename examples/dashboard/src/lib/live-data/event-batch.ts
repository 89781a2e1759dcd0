/**
 * Gathers what arrives and hands it on with a frame of the screen, so that a thousand events a
 * second are a few renderings a second and not a thousand.
 */

/** Between two hand-overs. The first after a quiet time waits for a frame only. */
const INTERVAL_MS = 100;

/** A hidden page gets no frames; what it gathers is bounded. */
const MOST_GATHERED = 5000;

export class EventBatch<T> {
  readonly #handOver: (gathered: T[]) => void;
  #gathered: T[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame: number | undefined;
  #lastHandOver = 0;

  constructor(handOver: (gathered: T[]) => void) {
    this.#handOver = handOver;
  }

  add(item: T): void {
    this.#gathered.push(item);
    if (this.#gathered.length >= MOST_GATHERED) {
      this.#flush();
    } else if (this.#timer === undefined && this.#frame === undefined) {
      this.#schedule();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#frame !== undefined) {
      cancelAnimationFrame(this.#frame);
      this.#frame = undefined;
    }
  }

  #schedule(): void {
    const wait = this.#lastHandOver + INTERVAL_MS - performance.now();
    if (wait <= 0) {
      this.#frame = requestAnimationFrame(() => this.#flush());
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#frame = requestAnimationFrame(() => this.#flush());
    }, wait);
  }

  #flush(): void {
    this.stop();
    this.#lastHandOver = performance.now();
    const gathered = this.#gathered;
    this.#gathered = [];
    this.#handOver(gathered);
  }
}
