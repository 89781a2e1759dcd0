/** The public types of the client: events, messages, states, errors. */
import type { GenericSchema, InferOutput } from "valibot";
import type { builtInSchemas } from "./schemas";

export type BuiltInEvents = {
  [T in keyof typeof builtInSchemas]: InferOutput<(typeof builtInSchemas)[T]>;
};

/** Events from the client itself. */
export interface ClientEvents {
  /**
   * Events were missed, and the server cannot send them: reload the data that they are about.
   * "history": the server no longer has the events, or has another history. "rooms": the events of
   * `rooms`, which are joined again.
   */
  missed: { reason: "history" | "rooms"; rooms: string[] };
}

/**
 * The types of events and what their `data` is. An application adds its own by merging:
 *
 *     declare module "./lib/websocket/types" {
 *       interface WebSocketEvents { price_changed: { sku: string; price_cents: number } }
 *     }
 *
 * and gives their schemas to the client, which the compiler then asks for.
 */
// An interface, because only an interface can be merged with.
export interface WebSocketEvents extends BuiltInEvents, ClientEvents {}

export type EventType = keyof WebSocketEvents;
export type CustomEventType = Exclude<EventType, keyof BuiltInEvents | keyof ClientEvents>;

/** A schema for each type that the application added. */
export type CustomSchemas = { [T in CustomEventType]: GenericSchema<unknown, WebSocketEvents[T]> };

export interface WebSocketEvent<T extends EventType = EventType> {
  type: T;
  data: WebSocketEvents[T];
  /** The event's position in the server's history; presence, answers and `missed` have none. */
  id: string | null;
  timestamp: string | null;
  userId: string | null;
  /** The room that the event was sent to. */
  room: string | null;
  /** The ref of the request that this answers. */
  ref: string | number | null;
  /** The room kept the event and sent it to a client that entered: it is no news, and may have been
   * received before. Its id is not the client's position. */
  isKept: boolean;
}

/** Every event, as a union to `switch` over by `type`. */
export type AnyEvent = { [T in EventType]: WebSocketEvent<T> }[EventType];

export type EventHandler<T extends EventType> = (
  data: WebSocketEvents[T],
  event: WebSocketEvent<T>,
) => void;

export interface ClientMessage {
  type: "message";
  room?: string;
  data: unknown;
}

export type DropReason = "queue_full" | "refused" | "closed";

/**
 * The outcome of a message. "sent" means that it was passed to an open connection. If the server
 * refuses it, an `error` event with the same `ref` follows.
 */
export type SendOutcome =
  | { status: "sent"; ref: string }
  | { status: "dropped"; ref: string; reason: DropReason };

export type ConnectionState =
  | { status: "closed" }
  | { status: "connecting" }
  | { status: "connected"; connectionId: string; userId: string | null }
  /** `retryAt` is in milliseconds since the epoch; null while an attempt is under way. */
  | { status: "reconnecting"; attempt: number; retryAt: number | null }
  /** The browser reports no network. Attempts continue: the server may be on this machine. */
  | { status: "offline"; attempt: number; retryAt: number | null }
  /** The server refused the client. Only `connect()` tries again. */
  | { status: "refused"; code: number; reason: string };

/** Codes of the server's `error` answers, and those of this client. */
export type RequestErrorCode =
  | "bad_json"
  | "bad_request"
  | "unknown_type"
  | "forbidden"
  | "not_member"
  | "too_many_rooms"
  | "rate_limited"
  /** The connection ended before the answer came. */
  | "closed"
  | "timeout"
  /** The server refused the connection. */
  | "refused"
  /** A code that this client does not know. */
  | "unknown";

export class WebSocketRequestError extends Error {
  readonly code: RequestErrorCode;

  constructor(code: RequestErrorCode, message: string) {
    super(message);
    this.name = "WebSocketRequestError";
    this.code = code;
  }
}

export interface RoomAnswer {
  room: string;
  id: string;
}

/** A failure that is not the answer to a request. */
export type Problem =
  | { kind: "bad_message"; message: string; text: string }
  | { kind: "unknown_type"; message: string; type: string }
  | { kind: "handler_failed"; message: string; error: unknown }
  | { kind: "token_failed"; message: string; error: unknown }
  | { kind: "rejoin_failed"; message: string; room: string; code: RequestErrorCode };
