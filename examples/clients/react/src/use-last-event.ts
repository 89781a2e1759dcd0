/** The latest event of a type. */
import { useState } from "react";
import type { RegisteredEvent, RegisteredEventType } from "./register.js";
import { useWebSocket } from "./use-websocket.js";

/** null until one has arrived since the component was mounted. */
export function useLastEvent<T extends RegisteredEventType>(eventType: T): RegisteredEvent<T> | null {
  const [last, setLast] = useState<RegisteredEvent<T> | null>(null);

  useWebSocket(eventType, (_data, event) => setLast(event));
  // An event of the type that was asked for before is not the latest of this one.
  return last?.type === eventType ? last : null;
}
