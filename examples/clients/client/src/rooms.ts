/**
 * The rooms that the application wants to be in, whatever the state of the connection. A room may
 * have several holders; it is left when the last of them leaves.
 */
import type { Listeners } from "./listeners.js";
import { PresenceList } from "./presence.js";
import { isFinal } from "./requests.js";
import {
  WebSocketRequestError,
  type Problem,
  type RequestErrorCode,
  type RoomAnswer,
  type RoomOptions,
} from "./types.js";

/** What one holder wants of a room. */
export interface Holding {
  readonly room: HeldRoom;
  readonly options: RoomOptions;
  /** Settled once: when the room has been joined for the first time, or will not be. */
  readonly joined: Promise<RoomAnswer>;
  readonly isSettled: boolean;
  resolve: (answer: RoomAnswer) => void;
  reject: (error: WebSocketRequestError) => void;
}

export interface HeldRoom {
  readonly name: string;
  readonly holders: Set<Holding>;
  readonly presence: PresenceList;
  /** The server's latest answer to a join; null if it has accepted none. */
  answer: RoomAnswer | null;
  /** Whether this connection is in the room. */
  isEntered: boolean;
  /** It could not be joined for now, so its events are missed. */
  hasGap: boolean;
  retryTimer: ReturnType<typeof setTimeout> | undefined;
}

interface Host {
  /** When a room that could not be joined for now is tried again. */
  retryMs: number;
  isConnected: () => boolean;
  /** Sends to the server; rejects with a WebSocketRequestError. */
  ask: (request: { type: string; room: string } & RoomOptions) => Promise<RoomAnswer>;
  report: (problem: Problem) => void;
  /** The room was joined late: events were missed that no recovery sends. */
  onGap: (room: string) => void;
  makeListeners: () => Listeners;
}

export class Rooms {
  readonly #host: Host;
  readonly #rooms = new Map<string, HeldRoom>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** The rooms that the client was in, and wants to stay in. */
  get entered(): string[] {
    return [...this.#rooms.values()].filter(({ answer }) => answer !== null).map(({ name }) => name);
  }

  hold(name: string, options: RoomOptions): Holding {
    const room = this.#rooms.get(name) ?? this.#add(name);
    const holding = makeHolding(room, options);
    const isKnown =
      room.isEntered &&
      options.state !== true &&
      options.last === undefined &&
      (options.presence !== true || room.presence.get() !== null);

    room.holders.add(holding);
    if (this.#host.isConnected()) {
      if (isKnown && room.answer !== null) {
        holding.resolve(room.answer);
      } else {
        void this.#enter(room, [holding]);
      }
    }
    return holding;
  }

  /** Resolves when the server has answered. Without a connection there is nothing to wait for: the
   * next one will not join the room. */
  async release(holding: Holding): Promise<void> {
    const { room } = holding;
    if (!room.holders.delete(holding)) {
      return;
    }
    holding.reject(new WebSocketRequestError("closed", "the room was left before it was joined"));
    await this.#leaveIfEmpty(room);
  }

  /** A connection begins, and recovers some of the rooms without being asked again. */
  begin(recovering: ReadonlySet<string>): void {
    for (const room of this.#rooms.values()) {
      room.isEntered = recovering.has(room.name);
      this.#enterAgain(room);
    }
    for (const name of recovering) {
      if (!this.#rooms.has(name)) {
        // The room was left while the connection was being made.
        this.#host.ask({ type: "leave_room", room: name }).catch(() => undefined);
      }
    }
  }

  /** These rooms have been recovered. Without the missed events, what they keep is asked for again. */
  finishRecovery(names: ReadonlySet<string>, isComplete: boolean): void {
    for (const name of names) {
      const room = this.#rooms.get(name);
      const keeping = [...(room?.holders ?? [])].filter(({ options }) => options.state === true);
      if (room !== undefined && !isComplete && keeping.length > 0) {
        void this.#enter(room, keeping);
      }
    }
  }

  /** The connection has ended. */
  end(): void {
    for (const room of this.#rooms.values()) {
      room.isEntered = false;
      clearTimeout(room.retryTimer);
      room.retryTimer = undefined;
      room.presence.forget();
    }
  }

  /** No connection will follow. */
  rejectWaiting(code: RequestErrorCode, message: string): void {
    for (const { holders } of this.#rooms.values()) {
      for (const holding of holders) {
        holding.reject(new WebSocketRequestError(code, message));
      }
    }
  }

  /** The server does not let the client recover this room. */
  refuse(name: string, failure: WebSocketRequestError): void {
    const room = this.#rooms.get(name);
    if (room !== undefined) {
      room.isEntered = false;
      this.#fail(room, [...room.holders], failure);
    }
  }

  /** The server has taken the client out of the room, which must not be joined again. */
  lose(name: string): void {
    const room = this.#rooms.get(name);
    if (room !== undefined) {
      this.#remove(room);
      const message = `${name}: the server has taken this client out of the room`;
      this.#host.report({ kind: "room_lost", message, room: name });
    }
  }

  presenceOf(name: string): PresenceList | undefined {
    return this.#rooms.get(name)?.presence;
  }

  #add(name: string): HeldRoom {
    const presence = new PresenceList(this.#host.makeListeners());
    const room: HeldRoom = {
      name,
      holders: new Set(),
      presence,
      answer: null,
      isEntered: false,
      hasGap: false,
      retryTimer: undefined,
    };
    this.#rooms.set(name, room);
    return room;
  }

  async #leaveIfEmpty(room: HeldRoom): Promise<void> {
    if (room.holders.size === 0 && this.#rooms.get(room.name) === room) {
      this.#remove(room);
      if (this.#host.isConnected()) {
        await this.#host.ask({ type: "leave_room", room: room.name });
      }
    }
  }

  #remove(room: HeldRoom): void {
    this.#rooms.delete(room.name);
    clearTimeout(room.retryTimer);
    room.answer = null;
    room.isEntered = false;
    room.presence.forget();
  }

  /** Joins for all holders, or, if the connection is in the room, for those that are new. The presence
   * is in either case asked for, and apart, because it may be refused to a client that may enter. */
  #enterAgain(room: HeldRoom): void {
    const holders = [...room.holders];
    const asking = holders.filter(({ isSettled }) => !room.isEntered || !isSettled);
    const others = asking.filter(({ options }) => options.presence !== true);
    const watching = asking.filter(({ options }) => options.presence === true);
    if (others.length > 0) {
      void this.#enter(room, others);
    }
    if (watching.length > 0 || holders.some(({ options }) => options.presence === true)) {
      void this.#enter(room, watching, true);
    }
  }

  /** Joins with what these holders want, and with the presence if one of them or the caller does.
   * Without a connection the next one does so. */
  async #enter(room: HeldRoom, holders: readonly Holding[], withPresence = false): Promise<void> {
    if (!this.#host.isConnected()) {
      return;
    }
    const last = Math.max(0, ...holders.map(({ options }) => options.last ?? 0));
    const hasPresence = withPresence || holders.some(({ options }) => options.presence === true);
    const hasState = holders.some(({ options }) => options.state === true);
    try {
      room.answer = await this.#host.ask({
        type: "join_room",
        room: room.name,
        ...(hasPresence ? { presence: true } : {}),
        ...(hasState ? { state: true } : {}),
        ...(last > 0 ? { last } : {}),
      });
      room.isEntered = true;
      for (const holding of holders) {
        holding.resolve(room.answer);
      }
      if (room.hasGap) {
        room.hasGap = false;
        this.#host.onGap(room.name);
      }
    } catch (error) {
      this.#fail(room, holders, asRequestError(error));
    }
  }

  #fail(room: HeldRoom, holders: readonly Holding[], failure: WebSocketRequestError): void {
    const { code, message } = failure;
    if (code === "closed" || code === "refused") {
      return; // it is joined with the next connection, or there will be none
    }
    const waiting = holders.filter(({ isSettled }) => !isSettled);
    waiting.forEach((holding) => holding.reject(failure));
    if (this.#rooms.get(room.name) !== room) {
      return; // no holder wants it now
    }
    if (isFinal(code)) {
      // It is refused to those who asked, perhaps because of its presence, and to no other holder.
      holders.forEach((holding) => room.holders.delete(holding));
      if (room.isEntered) {
        this.#leaveIfEmpty(room).catch(() => undefined);
      } else if (room.holders.size === 0) {
        this.#remove(room);
      }
    } else {
      if (!room.isEntered) {
        room.hasGap = true;
        room.answer = null; // there is nothing to recover
      }
      room.retryTimer ??= setTimeout(() => {
        room.retryTimer = undefined;
        this.#enterAgain(room);
      }, this.#host.retryMs);
    }
    if (waiting.length === 0) {
      this.#host.report({ kind: "rejoin_failed", message: `${room.name}: ${message}`, room: room.name, code });
    }
  }
}

function makeHolding(room: HeldRoom, options: RoomOptions): Holding {
  let settle: Pick<Holding, "resolve" | "reject"> | undefined;
  let isSettled = false;
  const joined = new Promise<RoomAnswer>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // An application that never looks at the promise has not forgotten to handle its rejection.
  joined.catch(() => undefined);
  return {
    room,
    options,
    joined,
    get isSettled() {
      return isSettled;
    },
    resolve: (answer) => {
      isSettled = true;
      settle?.resolve(answer);
    },
    reject: (error) => {
      isSettled = true;
      settle?.reject(error);
    },
  };
}

function asRequestError(error: unknown): WebSocketRequestError {
  return error instanceof WebSocketRequestError
    ? error
    : new WebSocketRequestError("failed", String(error));
}
