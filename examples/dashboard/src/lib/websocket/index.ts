/** What the client's users import. */
export { browserSignals, noSignals, type SignalHandlers, type Signals } from "./browser-signals";
export { WebSocketClient } from "./client";
export type { Tuning, WebSocketClientOptions } from "./options";
export type { Room } from "./room";
export type { StandardSchema } from "./standard-schema";
export { WebSocketRequestError } from "./types";
export type {
  AnyEvent,
  ClientErrorCode,
  ClientMessage,
  ConnectionState,
  EventData,
  EventHandler,
  EventsOf,
  EventType,
  Member,
  Presence,
  Problem,
  ProtocolEvents,
  RequestErrorCode,
  RequestOptions,
  RoomAnswer,
  RoomOptions,
  Schemas,
  ServerErrorCode,
  WebSocketEvent,
} from "./types";
