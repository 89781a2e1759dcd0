/** Clients for tests, and waiting for their states and events. */
import WebSocket from "ws";
import { customSchemas } from "../../src/events";
import type { Signals } from "../../src/lib/websocket/browser-signals";
import { WebSocketClient } from "../../src/lib/websocket/client";
import type { WebSocketClientOptions } from "../../src/lib/websocket/options";
import type {
  ConnectionState,
  EventType,
  Problem,
  WebSocketEvent,
} from "../../src/lib/websocket/types";

export interface TestClient {
  client: WebSocketClient;
  problems: Problem[];
}

/** The delays are short, because no test measures them. */
export function createClient(url: string, options: Partial<WebSocketClientOptions> = {}): TestClient {
  const problems: Problem[] = [];
  const client = new WebSocketClient({
    url,
    schemas: customSchemas,
    firstDelayMs: 5,
    longestDelayMs: 20,
    onProblem: (problem) => problems.push(problem),
    WebSocket,
    ...options,
  });
  return { client, problems };
}

type StateOf<S extends ConnectionState["status"]> = Extract<ConnectionState, { status: S }>;

/** Resolves when the state is, or next becomes, this one. */
export function whenState<S extends ConnectionState["status"]>(
  client: WebSocketClient,
  status: S,
  accept: (state: StateOf<S>) => boolean = () => true,
): Promise<StateOf<S>> {
  return new Promise((resolve) => {
    const check = () => {
      const state = client.getState();
      if (state.status === status && accept(state as StateOf<S>)) {
        unsubscribe();
        resolve(state as StateOf<S>);
      }
    };
    const unsubscribe = client.subscribe(check);
    check();
  });
}

/** Resolves to the next event of that type. */
export function nextEvent<T extends EventType>(
  client: WebSocketClient,
  type: T,
): Promise<WebSocketEvent<T>> {
  return new Promise((resolve) => {
    const stop = client.on(type, (_data, event) => {
      stop();
      resolve(event);
    });
  });
}

/** Browser signals that a test controls. */
export function createSignals(): Signals & { online: boolean; wake: () => void; offline: () => void } {
  let handlers: { onWake: () => void; onOffline: () => void } | undefined;
  const signals = {
    online: true,
    isOnline: () => signals.online,
    listen: (given: { onWake: () => void; onOffline: () => void }) => {
      handlers = given;
      return () => (handlers = undefined);
    },
    wake: () => {
      signals.online = true;
      handlers?.onWake();
    },
    offline: () => {
      signals.online = false;
      handlers?.onOffline();
    },
  };
  return signals;
}
