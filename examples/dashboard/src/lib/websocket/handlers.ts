/** The handlers of each event type. */
import type { AnyEvent, EventHandler, EventType } from "./types";

type AnyHandler = (event: AnyEvent) => void;

export class Handlers {
  readonly #byType = new Map<EventType, Set<AnyHandler>>();
  readonly #ofAll = new Set<AnyHandler>();
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  add<T extends EventType>(type: T, handler: EventHandler<T>): () => void {
    const handlers = this.#byType.get(type) ?? new Set();
    // Only events of this type are ever passed to the handlers below this key.
    const entry = ((event: Parameters<EventHandler<T>>[1]) => {
      handler(event.data, event);
    }) as AnyHandler;

    this.#byType.set(type, handlers.add(entry));
    return () => void handlers.delete(entry);
  }

  addForAll(handler: AnyHandler): () => void {
    // Wrapped, so that a function that was added twice is called and removed twice.
    const entry: AnyHandler = (event) => {
      handler(event);
    };
    this.#ofAll.add(entry);
    return () => void this.#ofAll.delete(entry);
  }

  /** Handlers may add and remove handlers; if one throws, the others are still called. */
  call(event: AnyEvent): void {
    for (const handler of [...(this.#byType.get(event.type) ?? []), ...this.#ofAll]) {
      try {
        handler(event);
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }
}
