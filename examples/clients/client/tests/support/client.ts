/** Clients for tests, and waiting for their events. */
import WebSocket from "ws";
import {
  WebSocketClient,
  type EventType,
  type Problem,
  type WebSocketClientOptions,
  type WebSocketEvent,
} from "../../src/index";
import { schemas, type TestedClient, type TestEvents } from "./events";

export interface TestClient {
  client: TestedClient;
  problems: Problem[];
}

/** The delays are short, because no test measures them. */
export function createClient(
  url: string,
  options: Partial<WebSocketClientOptions<TestEvents>> = {},
): TestClient {
  const problems: Problem[] = [];
  const client = new WebSocketClient<TestEvents>({
    url,
    schemas,
    firstDelayMs: 5,
    longestDelayMs: 20,
    onProblem: (problem) => problems.push(problem),
    WebSocket,
    ...options,
  });
  return { client, problems };
}

/** Resolves to the next event of that type. */
export function nextEvent<T extends EventType<TestEvents>>(
  client: TestedClient,
  type: T,
): Promise<WebSocketEvent<TestEvents, T>> {
  return new Promise((resolve) => {
    const stop = client.on(type, (_data, event) => {
      stop();
      resolve(event);
    });
  });
}
