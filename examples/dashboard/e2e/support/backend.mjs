// Starts the example backend with the built dashboard, on its own port.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const DIST = fileURLToPath(new URL("../../dist", import.meta.url));

export class Backend {
  #process;

  constructor(process, port) {
    this.#process = process;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
  }

  static async start({ port = 0, options = [] } = {}) {
    const program = process.env.ORDERS_BACKEND;
    if (program === undefined) {
      throw new Error("ORDERS_BACKEND must name the example backend's program");
    }
    const child = spawn(
      program,
      ["--listen", `127.0.0.1:${port}`, "--db", ":memory:", "--static", DIST, "--relay",
        "--log-level", "error", ...options],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const ended = once(child, "exit").then(([status]) => {
      throw new Error(`the backend ended with status ${status}`);
    });
    ended.catch(() => undefined); // it ends in time, too
    const [line] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
    const found = /^listening on http:\/\/.*:(\d+)$/.exec(line);
    if (found === null) {
      throw new Error(`the backend said: ${line}`);
    }
    return new Backend(child, Number(found[1]));
  }

  async request(method, path, body) {
    const response = await fetch(this.url + path, { method, body: JSON.stringify(body) });
    const content = await response.json();
    if (!response.ok) {
      throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(content)}`);
    }
    return content;
  }

  order(sku = "WIDGET-1", quantity = 1, clientId = 1) {
    return this.request("POST", "/api/orders", { client_id: clientId, items: [{ sku, quantity }] });
  }

  notify(message, severity = "info") {
    return this.request("POST", "/api/notifications", { message, severity });
  }

  async stop(signal = "SIGTERM") {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exit = once(this.#process, "exit");
      this.#process.kill(signal);
      await exit;
    }
  }
}
