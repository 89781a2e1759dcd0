/** Waiting for the events of a page's client. */
import type { EventType, WebSocketClientOptions, WebSocketEvent } from "@ws-manager/client";
import type { DashboardClient, DashboardEvents } from "../../src/events";

export { createSignals, whenState } from "../../../clients/client/tests/support/states";

export type ClientOptions = Partial<WebSocketClientOptions<DashboardEvents>>;

/** Resolves to the next event of that type. */
export function nextEvent<T extends EventType<DashboardEvents>>(
  client: DashboardClient,
  type: T,
): Promise<WebSocketEvent<DashboardEvents, T>> {
  return new Promise((resolve) => {
    const stop = client.on(type, (_data, event) => {
      stop();
      resolve(event);
    });
  });
}
