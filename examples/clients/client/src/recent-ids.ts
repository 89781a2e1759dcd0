/** The ids of the latest events, to detect one that arrives twice. */
export class RecentIds {
  readonly #bound: number;
  /** A Set keeps the order of insertion, so its first entry is the oldest. */
  readonly #ids = new Set<string>();

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Returns false if the id was there before. */
  add(id: string): boolean {
    if (this.#ids.has(id)) {
      return false;
    }
    this.#ids.add(id);
    if (this.#ids.size > this.#bound) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return true;
  }
}
