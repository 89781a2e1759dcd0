/** The public types of the client: events, messages, states, errors. */
import type { StandardSchema } from "./standard-schema.js";

/** The protocol's own messages; the application's events are beside them. */
export interface ServerEvents {
  welcome: {
    connection_id: string;
    user_id: string | null;
    id: string;
    ping_interval_ms: number;
  };
  recovered: { complete: boolean; count: number; id: string };
  room_joined: RoomAnswer;
  room_left: RoomAnswer;
  pong: { id: string };
  authenticated: { id: string };
  /** The answers to messages and requests: what the application answered. */
  ack: unknown;
  response: unknown;
  error: { code: string; message: string };
  /** Of the room in the event's `room`, or of the whole service: Room and the client keep the list
   * that they describe. */
  presence: { count: number; members?: Member[] };
  presence_changed: {
    count: number;
    joined?: Member[];
    left?: { user_id: string }[];
    changed?: Member[];
  };
  user_connected: { connection_id: string; user_id: string | null };
  user_disconnected: { connection_id: string; user_id: string | null };
}

/** Events from the client itself. */
export interface ClientEvents {
  /**
   * Events were missed, and the server cannot send them: reload the data that they are about.
   * "history": the server no longer has the events, or has another history. "rooms": the events of
   * `rooms`, which are joined again or were joined late.
   */
  missed: { reason: "history" | "rooms"; rooms: string[] };
}

export type ProtocolEvents = ServerEvents & ClientEvents;

/** The names of all events of an application whose own are `Events`: type to data. */
export type EventType<Events extends object> = (keyof Events | keyof ProtocolEvents) & string;

export type EventData<Events extends object, T> = T extends keyof ProtocolEvents
  ? ProtocolEvents[T]
  : T extends keyof Events
    ? Events[T]
    : never;

/** A schema for each type of the application's events. */
export type Schemas<Events extends object> = {
  [T in keyof Events]: StandardSchema<Events[T]>;
};

/** The application's events, by their schemas. */
export type EventsOf<S extends Record<string, StandardSchema>> = {
  [T in keyof S]: S[T] extends StandardSchema<infer Output> ? Output : never;
};

export interface WebSocketEvent<Events extends object, T extends EventType<Events>> {
  type: T;
  data: EventData<Events, T>;
  /** The event's position in the server's history; presence, answers and `missed` have none. */
  id: string | null;
  timestamp: string | null;
  userId: string | null;
  /** The room that the event was sent to. */
  room: string | null;
  /** What the event is about, such as the number of an order. */
  key: string | null;
  /** The ref of the request that this answers. */
  ref: string | number | null;
  /** The room kept the event and sent it to a client that entered: it is no news, and may have been
   * received before. Its id is not the client's position. */
  isKept: boolean;
}

/** Every event, as a union to `switch` over by `type`. */
export type AnyEvent<Events extends object> = {
  [T in EventType<Events>]: WebSocketEvent<Events, T>;
}[EventType<Events>];

export type EventHandler<Events extends object, T extends EventType<Events>> = (
  data: EventData<Events, T>,
  event: WebSocketEvent<Events, T>,
) => void;

export interface ClientMessage {
  /** "message" if absent, or a type that the application has registered. */
  type?: string | undefined;
  room?: string | undefined;
  data: unknown;
}

export interface RequestOptions {
  /** How long to wait for the answer, from the call on. Without it, the client waits for a
   * connection that has recovered as long as it takes, and then for `answerTimeoutMs`. */
  timeoutMs?: number | undefined;
  /** Ends the wait; what has been sent may be carried out nevertheless. */
  signal?: AbortSignal | undefined;
}

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

/** Codes of the client itself; all others are the server's or the application's. */
export type ClientErrorCode =
  /** The client was closed or has another user, or the connection was lost: what was sent may have
   * been carried out. */
  | "closed"
  /** There was no answer in time: what was sent may have been carried out. */
  | "timeout"
  /** The server refused the connection. */
  | "refused"
  /** Too many messages wait for a connection or for their answers. */
  | "queue_full";

export type ServerErrorCode =
  | "bad_json"
  | "bad_request"
  | "unknown_type"
  | "unknown_method"
  | "forbidden"
  | "not_member"
  | "too_many_rooms"
  | "rate_limited"
  | "failed";

/** Any other text is a code of the application. */
// `string & {}` keeps the names in an editor's completions.
export type RequestErrorCode = ClientErrorCode | ServerErrorCode | (string & {});

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
  /** How many kept events follow. */
  state?: number;
  replayed?: number;
  /** After `since` or `last`: whether the room has all events that were asked for. */
  complete?: boolean;
}

export interface Member {
  user_id: string;
  connections: number;
  /** What the user's clients have set, such as {"typing":true}; null if nothing. */
  state: unknown;
}

/** Who is in a room: users with a name, of all processes. */
export interface Presence {
  count: number;
  /** null if there are more than the server lists. */
  members: readonly Member[] | null;
}

export interface RoomOptions {
  /** Learn who is in the room. */
  presence?: boolean | undefined;
  /** Receive the room's kept values first, as events with `isKept`. */
  state?: boolean | undefined;
  /** Receive at most so many of the room's newest events first, as events with `isKept`. */
  last?: number | undefined;
}

/** A failure that is not the answer to a request. */
export type Problem =
  | { kind: "bad_message"; message: string; text: string }
  | { kind: "unknown_type"; message: string; type: string }
  | { kind: "handler_failed"; message: string; error: unknown }
  | { kind: "token_failed"; message: string; error: unknown }
  /** The constructor of WebSockets threw an exception. Attempts continue. */
  | { kind: "connect_failed"; message: string; error: unknown }
  | { kind: "rejoin_failed"; message: string; room: string; code: RequestErrorCode }
  | { kind: "presence_refused"; message: string; code: RequestErrorCode }
  | { kind: "room_lost"; message: string; room: string };
