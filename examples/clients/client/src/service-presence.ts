/** Who is connected at all, on any process: watched while somebody subscribes. */
import { PresenceList } from "./presence.js";
import type { Listeners } from "./listeners.js";
import { isFinal } from "./requests.js";
import { WebSocketRequestError, type Presence } from "./types.js";

interface Host {
  /** When a server that refused for now is asked again. */
  retryMs: number;
  isConnected: () => boolean;
  ask: (type: "watch_presence" | "unwatch_presence") => Promise<unknown>;
  /** The server does not allow it, perhaps only for now. */
  onRefusal: (error: unknown) => void;
}

export class ServicePresence {
  readonly #list: PresenceList;
  readonly #host: Host;
  #subscribers = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: Host, listeners: Listeners) {
    this.#host = host;
    this.#list = new PresenceList(listeners);
  }

  subscribe(listener: () => void): () => void {
    const stop = this.#list.listeners.add(listener);
    let isSubscribed = true;
    this.#subscribers++;
    if (this.#subscribers === 1) {
      this.begin();
    }
    return () => {
      stop();
      if (isSubscribed) {
        isSubscribed = false;
        this.#leave();
      }
    };
  }

  get(): Presence | null {
    return this.#list.get();
  }

  /** Changes may still arrive after the last subscriber has gone. */
  follow(event: Parameters<PresenceList["follow"]>[0]): void {
    if (this.#subscribers > 0) {
      this.#list.follow(event);
    }
  }

  /** The connection has ended. */
  end(): void {
    this.#forget();
  }

  /** There is a connection, or a subscriber. */
  begin(): void {
    if (this.#subscribers > 0 && this.#host.isConnected()) {
      this.#host.ask("watch_presence").catch((error: unknown) => this.#fail(error));
    }
  }

  #fail(error: unknown): void {
    this.#host.onRefusal(error);
    if (error instanceof WebSocketRequestError && !isFinal(error.code)) {
      this.#retryTimer ??= setTimeout(() => {
        this.#retryTimer = undefined;
        this.begin();
      }, this.#host.retryMs);
    }
  }

  #forget(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#list.forget();
  }

  #leave(): void {
    this.#subscribers--;
    if (this.#subscribers === 0) {
      this.#forget();
      if (this.#host.isConnected()) {
        this.#host.ask("unwatch_presence").catch(() => undefined);
      }
    }
  }
}
