/** The application's events, as it has registered them. */
import type { WebSocketClient, WebSocketEvent, EventType } from "@ws-manager/client";

/**
 * An application adds its events here, so that every hook knows the data of each:
 * `declare module "@ws-manager/react" { interface Register { events: AppEvents } }`.
 */
// Declarations of an application merge with an interface, but not with a type.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Register {}

/** Without a registration, events of any type are taken, with data of an unknown type. */
export type RegisteredEvents = Register extends { events: infer Events extends object }
  ? Events
  : Record<string, unknown>;

export type RegisteredClient = WebSocketClient<RegisteredEvents>;
export type RegisteredEventType = EventType<RegisteredEvents>;
export type RegisteredEvent<T extends RegisteredEventType> = WebSocketEvent<RegisteredEvents, T>;
