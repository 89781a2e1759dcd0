/** A server with faults that the real one does not have: refusals, silence, invalid messages. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

export interface Received {
  socket: WebSocket;
  message: { type: string; ref?: number; room?: string };
}

export interface StubOptions {
  port?: number;
  /** Called for each new connection; by default it is welcomed. */
  onConnection?: (socket: WebSocket, url: URL, count: number) => void;
  /** Answers a request; by default as the real server would. */
  onMessage?: (received: Received) => void;
}

export function welcome(socket: WebSocket, pingIntervalMs = 0, id = "stub.0"): void {
  send(socket, {
    type: "welcome",
    data: { connection_id: "c", user_id: null, id, ping_interval_ms: pingIntervalMs },
  });
}

export function send(socket: WebSocket, message: unknown): void {
  socket.send(typeof message === "string" ? message : JSON.stringify(message));
}

export function notification(id: string, message: string): object {
  return {
    id,
    type: "notification",
    data: { message, severity: "info" },
    timestamp: "2026-01-01T00:00:00.000Z",
    user_id: null,
  };
}

export function answer({ socket, message }: Received): void {
  const answers: Record<string, string> = {
    join_room: "room_joined",
    leave_room: "room_left",
    ping: "pong",
  };
  const type = answers[message.type];
  if (type !== undefined) {
    send(socket, { type, ref: message.ref, data: { room: message.room, id: "stub.0" } });
  }
}

export class StubServer {
  connections = 0;
  readonly received: Received["message"][] = [];
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer, options: StubOptions) {
    this.#server = server;
    server.on("connection", (socket, request) => {
      this.connections++;
      socket.on("message", (data: Buffer) => {
        const message = JSON.parse(data.toString()) as Received["message"];
        this.received.push(message);
        (options.onMessage ?? answer)({ socket, message });
      });
      const url = new URL(request.url ?? "/", "ws://stub");
      (options.onConnection ?? ((each) => welcome(each)))(socket, url, this.connections);
    });
  }

  static async start(options: StubOptions = {}): Promise<StubServer> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: options.port ?? 0 });
    const stub = new StubServer(server, options);
    await once(server, "listening");
    return stub;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  get sockets(): WebSocket[] {
    return [...this.#server.clients];
  }

  async stop(): Promise<void> {
    for (const socket of this.#server.clients) {
      socket.terminate();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
