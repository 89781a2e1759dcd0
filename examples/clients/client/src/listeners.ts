/** Functions to call after a change. One that throws changes nothing for the others. */
export class Listeners {
  readonly #listeners = new Set<() => void>();
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  /** Wrapped, so that a function that was added twice is called and removed twice. */
  add(listener: () => void): () => void {
    const entry = () => {
      listener();
    };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  call(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }
}
