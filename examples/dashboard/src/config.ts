/** How this page connects: to the server that it came from, as the user in its address. */
import { customSchemas } from "./events";
import type { WebSocketClientOptions } from "./lib/websocket/options";

/** The rooms of the events when the backend runs with --topic-rooms. */
export const TOPIC_ROOMS = ["orders", "inventory", "clients"];

/** `?token=` is for a backend that checks tokens, `?user_id=` for one that does not. */
export function webSocketOptions(location: Location): WebSocketClientOptions {
  const parameters = new URLSearchParams(location.search);
  const url = new URL("/ws", location.origin);
  const userId = parameters.get("user_id");

  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  if (userId !== null) {
    url.searchParams.set("user_id", userId);
  }
  return { url: url.href, token: () => parameters.get("token"), schemas: customSchemas };
}
