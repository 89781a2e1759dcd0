/** Who is in a room or connected at all, by the server's list and the changes after it. */
import type { Listeners } from "./listeners.js";
import type { Member, Presence, ServerEvents, WebSocketEvent } from "./types.js";

export class PresenceList {
  readonly listeners: Listeners;
  readonly #members = new Map<string, Member>();
  #snapshot: Presence | null = null;

  constructor(listeners: Listeners) {
    this.listeners = listeners;
  }

  /** An object that is replaced, never modified; null while it is unknown. */
  get(): Presence | null {
    return this.#snapshot;
  }

  follow(event: WebSocketEvent<object, "presence"> | WebSocketEvent<object, "presence_changed">): void {
    if (event.type === "presence") {
      this.#replace(event.data);
    } else {
      this.#change(event.data);
    }
  }

  /** Without a connection, no changes arrive. */
  forget(): void {
    if (this.#snapshot !== null) {
      this.#members.clear();
      this.#snapshot = null;
      this.listeners.call();
    }
  }

  #replace({ count, members }: ServerEvents["presence"]): void {
    this.#members.clear();
    for (const member of members ?? []) {
      this.#members.set(member.user_id, member);
    }
    this.#publish(count, members !== undefined);
  }

  /** Changes may be among those that the list has already. */
  #change({ count, joined, left, changed }: ServerEvents["presence_changed"]): void {
    const isListed =
      this.#snapshot !== null && this.#snapshot.members !== null && joined !== undefined;
    for (const member of [...(joined ?? []), ...(changed ?? [])]) {
      this.#members.set(member.user_id, member);
    }
    for (const { user_id } of left ?? []) {
      this.#members.delete(user_id);
    }
    this.#publish(count, isListed);
  }

  #publish(count: number, isListed: boolean): void {
    this.#snapshot = { count, members: isListed ? [...this.#members.values()] : null };
    this.listeners.call();
  }
}
