/**
 * Collects events and delivers them with an animation frame, so that a thousand events a second
 * cause a few renderings a second, not a thousand.
 */

/** The time between two deliveries. After a quiet period the first delivery waits only for a frame.
 * */
const INTERVAL_MS = 100;

/** A hidden page gets no frames; the collected events are bounded. */
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
