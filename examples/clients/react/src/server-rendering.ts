/** A client for rendering on a server: it is never connected, because effects do not run there. */
import type { WebSocketClientOptions } from "@ws-manager/client";

/** A page's address is often relative, and a server has no page. This name never resolves (RFC 2606). */
const PLACEHOLDER_ORIGIN = "http://server-rendering.invalid";

/** These options, with stand-ins for what only a browser has. */
export function optionsForServer<Events extends object>(
  options: WebSocketClientOptions<Events>,
): WebSocketClientOptions<Events> {
  const { WebSocket = noWebSocket } = globalThis as { WebSocket?: unknown };
  return {
    ...options,
    url: new URL(options.url, PLACEHOLDER_ORIGIN).href,
    WebSocket: options.WebSocket ?? WebSocket,
  };
}

/** A constructor, for a client that is connected there after all. */
function noWebSocket(): never {
  throw new TypeError("this environment has no WebSocket: pass its constructor as options.WebSocket");
}
