// The example backend and npm's clients of Socket.IO for test files. Not here: tests.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

/** Starts a backend that ends with the test. */
export async function start(t, ...options) {
  const server = spawn(
    process.env.ORDERS_BACKEND,
    ["--listen", "127.0.0.1:0", "--db", ":memory:", "--log-level", "error", ...options],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(server, "exit");
  const [line] = await once(createInterface(server.stdout), "line");
  const address = /^listening on http:\/\/(.*)$/.exec(line)[1];
  const kill = async () => {
    server.kill("SIGKILL");
    await exited;
  };
  t.after(async () => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    server.kill("SIGTERM");
    assert.deepEqual(await exited, [0, null]);
  });
  return { address, kill };
}

/** A client with a connection of its own, and what it has received. */
export function open(t, { address }, options = {}) {
  const socket = io(`http://${address}`, {
    forceNew: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 50,
    ...options,
  });
  t.after(() => socket.disconnect());
  const events = [];
  let arrived = () => {};
  socket.onAny((name, ...args) => {
    events.push([name, ...args]);
    arrived();
  });
  /** Waits for an event of a name; returns all events up to it. */
  const until = async (name) => {
    for (;;) {
      const at = events.findIndex((event) => event[0] === name);
      if (at >= 0) return events.splice(0, at + 1);
      await new Promise((resolve) => (arrived = resolve));
    }
  };
  /** Waits for an event of a name, drops those before it, and returns its first argument. */
  const next = async (name) => (await until(name)).at(-1)[1];
  return { socket, events, next, until };
}

/** Waits for one of the socket's own events; returns its arguments. */
export const on = (emitter, name) =>
  new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));

export async function connect(t, server, options) {
  const client = open(t, server, options);
  const failed = on(client.socket, "connect_error").then(([error]) => Promise.reject(error));
  await Promise.race([on(client.socket, "connect"), failed]);
  failed.catch(() => {}); // of later
  return client;
}

/** Waits until a client has its last transport, which is WebSocket unless it may only poll. */
export async function upgraded({ io: manager }) {
  const last = manager.opts.transports?.at(-1) ?? "websocket";
  while (manager.engine.transport.name !== last) await on(manager.engine, "upgrade");
}

/** Waits for the refusal of a client; returns its message and status. */
export async function refusal(t, server, options) {
  const { socket } = open(t, server, { reconnection: false, ...options });
  const [error] = await on(socket, "connect_error");
  return [error.message, error.data?.status];
}

export async function request({ address }, method, path, body, headers = {}) {
  const response = await fetch(`http://${address}${path}`, {
    method,
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.json();
}

export const order = (server) =>
  request(server, "POST", "/api/orders", { client_id: 1, items: [{ sku: "WIDGET-1", quantity: 1 }] });
