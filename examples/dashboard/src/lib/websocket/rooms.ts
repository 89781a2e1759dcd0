/** The rooms that the application wants to be in, whatever the state of the connection. */
import { WebSocketRequestError, type RequestErrorCode, type RoomAnswer } from "./types";

/** A joinRoom() that was called without a connection. */
interface WaitingJoin {
  promise: Promise<RoomAnswer>;
  resolve: (answer: RoomAnswer) => void;
  reject: (error: WebSocketRequestError) => void;
}

export class Rooms {
  readonly #wanted = new Set<string>();
  /** Those of them that the server has accepted. */
  readonly #entered = new Set<string>();
  readonly #waiting = new Map<string, WaitingJoin>();

  get wanted(): string[] {
    return [...this.#wanted];
  }

  /** The rooms that it was in, and wants to stay in. */
  get entered(): string[] {
    return [...this.#entered];
  }

  isWanted(room: string): boolean {
    return this.#wanted.has(room);
  }

  enter(room: string): void {
    if (this.#wanted.has(room)) {
      this.#entered.add(room);
    }
  }

  add(room: string): void {
    this.#wanted.add(room);
  }

  remove(room: string): void {
    this.#wanted.delete(room);
    this.#entered.delete(room);
    this.takeWaiting(room)?.reject(
      new WebSocketRequestError("closed", "the room was left before it was joined"),
    );
  }

  /** A promise for the answer to the join that will be sent once there is a connection. */
  wait(room: string): Promise<RoomAnswer> {
    const known = this.#waiting.get(room);
    if (known !== undefined) {
      return known.promise;
    }
    let settle: Omit<WaitingJoin, "promise"> | undefined;
    const promise = new Promise<RoomAnswer>((resolve, reject) => {
      settle = { resolve, reject };
    });
    if (settle !== undefined) {
      this.#waiting.set(room, { promise, ...settle });
    }
    return promise;
  }

  takeWaiting(room: string): WaitingJoin | undefined {
    const waiting = this.#waiting.get(room);
    this.#waiting.delete(room);
    return waiting;
  }

  rejectWaiting(code: RequestErrorCode, message: string): void {
    for (const room of [...this.#waiting.keys()]) {
      this.takeWaiting(room)?.reject(new WebSocketRequestError(code, message));
    }
  }
}

/** After these errors the server would answer the same again, so the room is no longer wanted. */
export function isFinal(code: RequestErrorCode): boolean {
  switch (code) {
    case "closed":
    case "timeout":
    case "refused":
    case "rate_limited":
      return false;
    case "bad_json":
    case "bad_request":
    case "unknown_type":
    case "forbidden":
    case "not_member":
    case "too_many_rooms":
    case "unknown":
      return true;
  }
}
