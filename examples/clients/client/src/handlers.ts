/** The handlers of each event type. */
import type { AnyEvent, EventHandler, EventType, WebSocketEvent } from "./types.js";

type AnyHandler<Events extends object> = (event: AnyEvent<Events>) => void;

export class Handlers<Events extends object> {
  readonly #byType = new Map<EventType<Events>, Set<AnyHandler<Events>>>();
  readonly #ofAll = new Set<AnyHandler<Events>>();
  readonly #onFailure: (error: unknown) => void;

  constructor(onFailure: (error: unknown) => void) {
    this.#onFailure = onFailure;
  }

  add<T extends EventType<Events>>(type: T, handler: EventHandler<Events, T>): () => void {
    const handlers = this.#byType.get(type) ?? new Set<AnyHandler<Events>>();
    // Only events of this type are ever passed to the handlers below this key.
    const entry: AnyHandler<Events> = (event) => {
      const own = event as unknown as WebSocketEvent<Events, T>;
      handler(own.data, own);
    };

    this.#byType.set(type, handlers.add(entry));
    return () => void handlers.delete(entry);
  }

  addForAll(handler: AnyHandler<Events>): () => void {
    // Wrapped, so that a function that was added twice is called and removed twice.
    const entry: AnyHandler<Events> = (event) => {
      handler(event);
    };
    this.#ofAll.add(entry);
    return () => void this.#ofAll.delete(entry);
  }

  /** Handlers may add and remove handlers; if one throws, the others are still called. */
  call(event: AnyEvent<Events>): void {
    for (const handler of [...(this.#byType.get(event.type) ?? []), ...this.#ofAll]) {
      try {
        handler(event);
      } catch (error) {
        this.#onFailure(error);
      }
    }
  }
}
