/**
 * How far this client has heard, and what it says when it comes back, so that the server gives it what it
 * missed. Not here: which rooms it wants (rooms.ts).
 */

import type { ClientEvents } from "./types";

/** Servers bound the head of a request; cookies and other headers want room in it, too. */
const MOST_URL_BYTES = 4000;

interface Request {
  after: string;
  rooms: ReadonlySet<string>;
  /** Those that have no place in an address. */
  otherRooms: readonly string[];
}

export class Resumption {
  #position: string | null = null;
  #connectionId: string | null = null;
  /** The connection of which everything has been heard: what excluded it is not for this client. */
  #formerConnectionId: string | null = null;
  /** What the connection that is made, or the present one until it has recovered, asked for. */
  #request: Request | null = null;
  /** Known since a welcome, and still to be said when it is known from where on nothing is missed. */
  #hasMissed = false;
  readonly #missedRooms = new Set<string>();

  get position(): string | null {
    return this.#position;
  }

  /** Every id that the server says stands in the order of events, whatever the message. */
  advance(id: string): void {
    this.#position = id;
  }

  /** Adds to the address of the next connection what it takes to go on; and of the rooms what fits. */
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

  /** A welcome: it goes on where it was, or it does not, or it is a new one. */
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

  /** The rooms that the server was asked to let it go on in, until it has recovered. */
  get rooms(): ReadonlySet<string> {
    return this.#request?.rooms ?? new Set();
  }

  /** It has recovered, as the server says completely or not; returns what is to be said of that. */
  finish(isComplete: boolean, id: string): ClientEvents["missed"] | null {
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
