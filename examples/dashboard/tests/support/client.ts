/** Clients for tests, and waiting for their states and events. */
import WebSocket from "ws";
import { eventSchemas, type DashboardClient, type DashboardEvents } from "../../src/events";
import {
  WebSocketClient,
  type ConnectionState,
  type EventType,
  type Problem,
  type SignalHandlers,
  type Signals,
  type WebSocketClientOptions,
  type WebSocketEvent,
} from "../../src/lib/websocket";

export type ClientOptions = Partial<WebSocketClientOptions<DashboardEvents>>;

export interface TestClient {
  client: DashboardClient;
  problems: Problem[];
}

/** The delays are short, because no test measures them. */
export function createClient(url: string, options: ClientOptions = {}): TestClient {
  const problems: Problem[] = [];
  const client = new WebSocketClient({
    url,
    schemas: eventSchemas,
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
  client: DashboardClient,
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

type TestSignals = Signals & Record<"wake" | "offline" | "sleep", () => void> & { online: boolean };

/** Browser signals that a test controls. */
export function createSignals(): TestSignals {
  let handlers: SignalHandlers | undefined;
  const signals: TestSignals = {
    online: true,
    isOnline: () => signals.online,
    listen: (given: SignalHandlers) => {
      handlers = given;
      return () => {
        handlers = undefined;
      };
    },
    wake: () => {
      signals.online = true;
      handlers?.onWake();
    },
    offline: () => {
      signals.online = false;
      handlers?.onOffline();
    },
    sleep: () => handlers?.onSleep(),
  };
  return signals;
}
