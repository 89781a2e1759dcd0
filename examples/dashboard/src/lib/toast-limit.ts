/** Lets through at most so many toasts in a while, and counts the others. */
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

  /** 0: show it. Else how many were withheld in this period. */
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
