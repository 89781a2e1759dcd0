/** How this page connects: to the server that it came from, as the user in its address. */
import { eventSchemas, type DashboardEvents } from "./events";
import type { RoomOptions, WebSocketClientOptions } from "@ws-manager/client";

/** The rooms of the events when the backend runs with --topic-rooms. Those that keep the last event
 * of each order or product send these first. */
export const TOPIC_ROOMS: readonly [string, RoomOptions][] = [
  ["orders", { state: true }],
  ["inventory", { state: true }],
  ["clients", {}],
];

/** Every page is in this room, so its members are those who have a page open. */
export const ONLINE_ROOM = "orders";

/** `?token=` is for a backend that checks tokens, `?user_id=` for one that does not. */
export function webSocketOptions(location: Location): WebSocketClientOptions<DashboardEvents> {
  const parameters = new URLSearchParams(location.search);
  const userId = parameters.get("user_id");
  const query = userId === null ? "" : `?user_id=${encodeURIComponent(userId)}`;
  return { url: `/ws${query}`, token: () => parameters.get("token"), schemas: eventSchemas };
}
