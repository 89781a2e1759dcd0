// A thousand stock clients of Socket.IO with their default options, in one process: each connects by
// polling, changes to WebSocket, and receives each event once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { on, open, order, request, start } from "./socketio_backend.mjs";

const CLIENTS = 1000;
const AT_ONCE = 100; // that are not connected yet

/** Waits until the client is connected and has its last transport. */
async function connected({ socket }) {
  if (!socket.connected) await on(socket, "connect");
  const { engine } = socket.io;
  while (engine.transport.name !== "websocket") await on(engine, "upgrade");
}

test("a thousand clients connect and receive an event", async (t) => {
  const server = await start(t, "--threads", "4", "--no-presence");
  const clients = [];
  let lost = 0;
  const waiting = Array.from({ length: AT_ONCE }, async () => {
    while (clients.length < CLIENTS) {
      const client = open(t, server, { reconnection: false, timeout: 120_000 });
      client.socket.on("disconnect", () => lost++);
      clients.push(client);
      await connected(client);
    }
  });
  await Promise.all(waiting);
  const { id } = await order(server);
  await request(server, "POST", "/api/notifications", { message: "last", severity: "info" });
  for (const client of clients) {
    const events = await client.until("notification");
    assert.deepEqual(events.filter(([name]) => name === "order_created").map(([, event]) => event.data.id), [id]);
  }
  assert.equal(lost, 0);
  const statistics = await request(server, "GET", "/ws/stats");
  assert.equal(statistics.total_connections, CLIENTS);
});
