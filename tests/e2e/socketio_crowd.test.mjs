// A thousand stock clients of Socket.IO in one process: each connects over the transports that TRANSPORTS
// names ("polling,websocket" are the default ones: it changes to WebSocket), and receives each event once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { on, open, order, request, start, upgraded } from "./socketio_backend.mjs";

const CLIENTS = 1000;
const AT_ONCE = 100; // that are not connected yet

const options = process.env.TRANSPORTS === "polling,websocket" ? {} : { transports: [process.env.TRANSPORTS] };

test("a thousand clients connect and receive an event", async (t) => {
  const server = await start(t, "--threads", "4", "--no-presence");
  const clients = [];
  let lost = 0;
  const waiting = Array.from({ length: AT_ONCE }, async () => {
    while (clients.length < CLIENTS) {
      const client = open(t, server, { ...options, reconnection: false, timeout: 120_000 });
      client.socket.on("disconnect", () => lost++);
      clients.push(client);
      if (!client.socket.connected) await on(client.socket, "connect");
      await upgraded(client.socket);
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
  for (const { socket } of clients) socket.disconnect();
});
