/** Starts the example backend for a test, on its own port. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export class Backend {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  /** On a free port, or on the port of an earlier backend. */
  static async start(options: { port?: number; arguments?: string[] } = {}): Promise<Backend> {
    const program = process.env.ORDERS_BACKEND;
    if (program === undefined) {
      throw new Error("ORDERS_BACKEND must name the example backend's program");
    }
    const child = spawn(
      program,
      [
        "--listen", `127.0.0.1:${options.port ?? 0}`,
        "--db", ":memory:",
        "--log-level", "error",
        "--relay",
        ...(options.arguments ?? []),
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const lines = createInterface(child.stdout);
    const line = await Promise.race([
      once(lines, "line").then(([text]) => String(text)),
      once(child, "exit").then(([status]) => {
        throw new Error(`the backend ended with status ${String(status)}`);
      }),
    ]);
    const port = /^listening on http:\/\/.*:(\d+)$/.exec(line)?.[1];
    if (port === undefined) {
      throw new Error(`the backend said: ${line}`);
    }
    return new Backend(child, Number(port));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    }
    return response.json();
  }

  notify(message: string, severity = "info"): Promise<unknown> {
    return this.request("POST", "/api/notifications", { message, severity });
  }

  async order(sku = "WIDGET-1", quantity = 1): Promise<{ id: number }> {
    const body = { client_id: 1, items: [{ sku, quantity }] };
    return (await this.request("POST", "/api/orders", body)) as { id: number };
  }

  /** SIGKILL ends it like a crash: no close frame is sent. */
  async stop(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) {
      return;
    }
    const exit = once(this.#process, "exit");
    this.#process.kill(signal);
    await exit;
  }
}
