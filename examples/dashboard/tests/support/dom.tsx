/** Components below a provider, in jsdom. */
import { cleanup, configure, render, type RenderResult } from "@testing-library/react";
import { StrictMode, type ReactNode } from "react";
import { afterEach } from "vitest";
import NodeWebSocket from "ws";
import { useWebSocketContext, WebSocketProvider } from "@ws-manager/react";
import { eventSchemas, type DashboardClient, type DashboardEvents } from "../../src/events";
import type { WebSocketClientOptions } from "@ws-manager/client";
import type { ClientOptions } from "./client";

afterEach(cleanup);

// No test measures time; a busy machine may be slow.
configure({ asyncUtilTimeout: 50_000 });

interface Rendered extends RenderResult {
  client: DashboardClient;
  show: (children: ReactNode) => void;
}

export function renderConnected(
  url: string,
  children: ReactNode,
  options: ClientOptions = {},
): Rendered {
  let client: DashboardClient | undefined;
  const all: WebSocketClientOptions<DashboardEvents> = {
    url,
    schemas: eventSchemas,
    firstDelayMs: 5,
    longestDelayMs: 20,
    WebSocket: NodeWebSocket,
    ...options,
  };
  const wrap = (inner: ReactNode) => (
    <StrictMode>
      <WebSocketProvider options={all}>
        <Probe onClient={(found) => (client = found)} />
        {inner}
      </WebSocketProvider>
    </StrictMode>
  );
  const result = render(wrap(children));
  if (client === undefined) {
    throw new Error("the provider rendered nothing");
  }
  return { ...result, client, show: (inner) => result.rerender(wrap(inner)) };
}

function Probe({ onClient }: { onClient: (client: DashboardClient) => void }) {
  onClient(useWebSocketContext().client);
  return null;
}

/** jsdom has no layout, and a virtualised list renders what fits into its height. */
export function pretendLayout(): void {
  Object.defineProperties(HTMLElement.prototype, {
    clientWidth: { configurable: true, value: 800 },
    clientHeight: { configurable: true, value: 600 },
    offsetHeight: { configurable: true, value: 40 },
  });
}
