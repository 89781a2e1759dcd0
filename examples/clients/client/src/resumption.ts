/**
 * The client's position, and what it sends when it reconnects, so that the server can send the
 * missed events. Not here: the rooms that it wants (rooms.ts).
 */

import type { ProtocolEvents } from "./types.js";

/** Servers limit the size of a request's head; cookies and other headers need room in it too. */
const MOST_URL_BYTES = 4000;

interface Request {
  after: string;
  rooms: ReadonlySet<string>;
  /** The rooms that did not fit into the address. */
  otherRooms: readonly string[];
}

export class Resumption {
  #position: string | null = null;
  #connectionId: string | null = null;
  /** The latest connection whose events were all received: events that excluded it are not for this
   * client. */
  #formerConnectionId: string | null = null;
  /** The rooms that the next connection requests, or that the current one requested, until it has
   * recovered. */
  #request: Request | null = null;
  /** Known since a welcome, and reported once it is known from which event on nothing is missed. */
  #hasMissed = false;
  readonly #missedRooms = new Set<string>();

  get position(): string | null {
    return this.#position;
  }

  /** Every id from the server is a position in the order of events, whatever the message. */
  advance(id: string): void {
    this.#position = id;
  }

  /** Adds to the next connection's address what is needed to recover, and as many of the rooms as
   * fit. */
  addTo(url: URL, rooms: readonly string[]): void {
    if (this.#position === null) {
      this.#request = null;
      return;
    }
    url.searchParams.set("after", this.#position);
    if (this.#formerConnectionId !== null) {
      url.searchParams.set("connection_id", this.#formerConnectionId);
    }
    const fitting: string[] = [];
    for (const room of rooms.filter((name) => !name.includes(","))) {
      const longer = new URL(url);
      longer.searchParams.set("rooms", [...fitting, room].join(","));
      if (longer.href.length <= MOST_URL_BYTES) {
        fitting.push(room);
      }
    }
    if (fitting.length > 0) {
      url.searchParams.set("rooms", fitting.join(","));
    }
    this.#request = {
      after: this.#position,
      rooms: new Set(fitting),
      otherRooms: rooms.filter((room) => !fitting.includes(room)),
    };
  }

  /** Handles a welcome: the connection recovers, or it cannot, or it is a new one. */
  begin(id: string, connectionId: string): void {
    this.#connectionId = connectionId;
    this.#position = id;
    if (this.#request === null) {
      this.#formerConnectionId = connectionId;
      return;
    }
    this.#hasMissed ||= this.#request.after !== id;
    for (const room of this.#request.otherRooms) {
      this.#missedRooms.add(room);
    }
  }

  /** The rooms that the server was asked to recover, until it has done so. */
  get rooms(): ReadonlySet<string> {
    return this.#request?.rooms ?? new Set();
  }

  /** Whether this connection recovers, and has not ended to do so. */
  get isPending(): boolean {
    return this.#request !== null;
  }

  /** The recovery has ended, complete or not; returns what to report about it. */
  finish(isComplete: boolean, id: string): ProtocolEvents["missed"] | null {
    const rooms = [...this.#missedRooms];
    const hasMissed = this.#hasMissed || !isComplete;
    this.#request = null;
    this.#hasMissed = false;
    this.#missedRooms.clear();
    this.#position = id;
    this.#formerConnectionId = this.#connectionId;
    if (hasMissed) {
      return { reason: "history", rooms: [] };
    }
    return rooms.length > 0 ? { reason: "rooms", rooms } : null;
  }
}
