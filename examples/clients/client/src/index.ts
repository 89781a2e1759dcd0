/** What the client's users import. */
export { browserSignals, noSignals, type SignalHandlers, type Signals } from "./browser-signals.js";
export { WebSocketClient } from "./client.js";
export type { Method } from "./methods.js";
export type { Tuning, WebSocketClientOptions } from "./options.js";
export type { Room } from "./room.js";
export type { StandardSchema } from "./standard-schema.js";
export { WebSocketRequestError } from "./types.js";
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
} from "./types.js";
