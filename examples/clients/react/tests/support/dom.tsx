/** Components below a provider, in jsdom. */
import { cleanup, configure, render, type RenderResult } from "@testing-library/react";
import { StrictMode, type ReactNode } from "react";
import { afterEach } from "vitest";
import NodeWebSocket from "ws";
import type { EventType, WebSocketClientOptions, WebSocketEvent } from "@ws-manager/client";
import { useWebSocketContext, WebSocketProvider, type RegisteredClient } from "@ws-manager/react";
import { schemas, type TestEvents } from "./events";

afterEach(cleanup);

// No test measures time; a busy machine may be slow.
configure({ asyncUtilTimeout: 50_000 });

interface Rendered extends RenderResult {
  client: RegisteredClient;
  show: (children: ReactNode) => void;
}

export function renderConnected(
  url: string,
  children: ReactNode,
  options: Partial<WebSocketClientOptions<TestEvents>> = {},
): Rendered {
  let client: RegisteredClient | undefined;
  const all: WebSocketClientOptions<TestEvents> = {
    url,
    schemas,
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

function Probe({ onClient }: { onClient: (client: RegisteredClient) => void }) {
  onClient(useWebSocketContext().client);
  return null;
}

/** Resolves to the next event of that type. */
export function nextEvent<T extends EventType<TestEvents>>(
  client: RegisteredClient,
  type: T,
): Promise<WebSocketEvent<TestEvents, T>> {
  return new Promise((resolve) => {
    const stop = client.on(type, (_data, event) => {
      stop();
      resolve(event);
    });
  });
}
