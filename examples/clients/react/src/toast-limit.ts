/** Lets a limited number of toasts through in each period, and counts the others. */
export class ToastLimit {
  readonly #most: number;
  readonly #periodMs: number;
  #periodStart = -Infinity;
  #shown = 0;
  #withheld = 0;

  constructor(most: number, periodMs: number) {
    this.#most = most;
    this.#periodMs = periodMs;
  }

  /** Returns 0 to show the toast, else how many were withheld in this period. */
  ask(now: number): number {
    if (now - this.#periodStart >= this.#periodMs) {
      this.#periodStart = now;
      this.#shown = 0;
      this.#withheld = 0;
    }
    if (this.#shown < this.#most) {
      this.#shown++;
      return 0;
    }
    return ++this.#withheld;
  }
}
