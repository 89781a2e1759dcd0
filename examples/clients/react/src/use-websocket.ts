/** Subscribes a component to events; its handler is removed when it unmounts. */
import type { EventHandler } from "@ws-manager/client";
import { useEffect } from "react";
import { useClient } from "./provider.js";
import type { RegisteredEvents, RegisteredEventType } from "./register.js";
import { useNewest } from "./use-newest.js";

/** The handler may be a new function at each render; the newest one is called. */
export function useWebSocket<T extends RegisteredEventType>(
  eventType: T,
  handler: EventHandler<RegisteredEvents, T>,
): void {
  const client = useClient("useWebSocket");
  const onEvent = useNewest(handler);

  useEffect(() => client.on(eventType, onEvent), [client, eventType, onEvent]);
}
