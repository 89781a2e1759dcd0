/** Subscribes a component to events; its handler is removed when it unmounts. */
import { useEffect, useEffectEvent } from "react";
import { useWebSocketContext } from "../contexts/WebSocketContext";
import type { DashboardEvents } from "../events";
import type { EventHandler, EventType } from "@ws-manager/client";

/** The handler may be a new function at each render; the newest one is called. */
export function useWebSocket<T extends EventType<DashboardEvents>>(
  eventType: T,
  handler: EventHandler<DashboardEvents, T>,
): void {
  const { client } = useWebSocketContext();
  const onEvent = useEffectEvent(handler);

  useEffect(
    () => client.on(eventType, (data, event) => onEvent(data, event)),
    [client, eventType],
  );
}
