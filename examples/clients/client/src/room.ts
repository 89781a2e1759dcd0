/** One holder's view of a room. */
import type { Handlers } from "./handlers.js";
import type { Holding } from "./rooms.js";
import type {
  EventHandler,
  EventType,
  Presence,
  RequestOptions,
  RoomAnswer,
} from "./types.js";

interface Host<Events extends object> {
  handlers: Handlers<Events>;
  send: (message: object, options: RequestOptions) => Promise<unknown>;
  release: (holding: Holding) => Promise<void>;
}

export class Room<Events extends object> {
  readonly #host: Host<Events>;
  readonly #holding: Holding;
  readonly #stops = new Set<() => void>();

  /** Client.room() makes rooms. */
  constructor(host: Host<Events>, holding: Holding) {
    this.#host = host;
    this.#holding = holding;
  }

  get name(): string {
    return this.#holding.room.name;
  }

  /**
   * Resolves when the room has been joined for the first time, with whichever connection. Rejects
   * with a WebSocketRequestError: with the server's code if it refuses, and then this holder has no
   * part in the room; with "timeout", "rate_limited" or "failed" if it cannot join for now, and then
   * the client tries again; with "closed" or "refused" if there will be no connection.
   */
  get joined(): Promise<RoomAnswer> {
    return this.#holding.joined;
  }

  /** Who is in the room: an object that is replaced, never modified. null while it is unknown, and
   * always without the option `presence`. */
  readonly getPresence = (): Presence | null => this.#holding.room.presence.get();

  /** Calls back after each change of the presence, until the returned function is called. */
  readonly subscribePresence = (listener: () => void): (() => void) =>
    this.#keep(this.#holding.room.presence.listeners.add(listener));

  /** Calls back with each event of that type in this room, until the returned function is called. */
  on<T extends EventType<Events>>(type: T, handler: EventHandler<Events, T>): () => void {
    return this.#keep(
      this.#host.handlers.add(type, (data, event) => {
        if (event.room === this.name) {
          handler(data, event);
        }
      }),
    );
  }

  /** Sends a message to the room: see WebSocketClient.send(). */
  send(data: unknown, options: RequestOptions = {}): Promise<unknown> {
    return this.#host.send({ type: "message", room: this.name, data }, options);
  }

  /** Sets what others see in the presence of this client's user, for all its connections: any JSON
   * value of at most 1 KiB; null removes it. Resolves and rejects like send(). */
  async setState(state: unknown, options: RequestOptions = {}): Promise<void> {
    await this.#host.send({ type: "set_state", room: this.name, data: state }, options);
  }

  /** Ends what this holder has subscribed to, and leaves the room if no other holds it. Resolves
   * when the server has answered. */
  async leave(): Promise<void> {
    for (const stop of this.#stops) {
      stop();
    }
    this.#stops.clear();
    await this.#host.release(this.#holding);
  }

  #keep(stop: () => void): () => void {
    const remove = () => {
      this.#stops.delete(remove);
      stop();
    };
    this.#stops.add(remove);
    return remove;
  }
}
