// Stock clients of Socket.IO 4 (npm's socket.io-client) with the example backend behind nginx and haproxy,
// of which it is killed and started again: with default options, over WebSocket, and by polling.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hasProxy, startProxy } from "./proxies.mjs";
import { hasRedis, startRedis } from "./redis_server.mjs";
import { connect, on, order, request, start, upgraded } from "./socketio_backend.mjs";

const OPTIONS = [{}, { transports: ["websocket"] }, { transports: ["polling"] }];

test("stock clients behind a proxy recover when the backend returns", { skip: !hasRedis }, async (t) => {
  const redis = await startRedis(t);
  for (const kind of ["nginx", "haproxy"])
    await t.test(`behind ${kind}`, { skip: !hasProxy(kind) }, (t) => checkBehind(t, kind, redis));
});

async function checkBehind(t, kind, redis) {
  const options = ["--redis", redis, "--topic-rooms", "--threads", "2", "--trusted-proxy", "127.0.0.1"];
  const first = await start(t, ...options, "--node", `${kind}-first`);
  const other = await start(t, ...options, "--node", `${kind}-other`);
  const proxy = await startProxy(t, kind, first.address.split(":")[1]);
  const clients = await Promise.all(OPTIONS.map((one) => connect(t, proxy, { ...one, auth: { user_id: "ana" } })));
  for (const { socket } of clients) {
    await upgraded(socket);
    assert.equal((await socket.timeout(30000).emitWithAck("join_room", "orders")).type, "room_joined");
  }
  const { id } = await order(proxy);
  for (const { next } of clients) assert.equal((await next("order_created")).data.id, id);

  const lost = clients.map(({ socket }) => on(socket, "disconnect"));
  const back = clients.map(({ socket }) => on(socket, "connect"));
  await first.kill();
  for (const [reason] of await Promise.all(lost)) assert.match(reason, /^transport (close|error)$/);
  const orders = [];
  for (let i = 0; i < 3; i++) orders.push((await order(other)).id);
  await start(t, ...options, "--node", `${kind}-second`, "--listen", first.address);
  await Promise.all(back);
  for (const { socket } of clients) assert.equal(socket.recovered, true);
  orders.push((await order(proxy)).id);
  await request(other, "POST", "/api/notifications", { message: "last", severity: "info", user_id: "ana" });
  for (const { socket, until } of clients) {
    const heard = (await until("notification")).filter(([name]) => name === "order_created");
    assert.deepEqual(heard.map(([, event]) => event.data.id), orders);
    await upgraded(socket);
    assert.equal((await socket.timeout(30000).emitWithAck("leave_room", "orders")).type, "room_left");
    socket.disconnect();
  }
}
