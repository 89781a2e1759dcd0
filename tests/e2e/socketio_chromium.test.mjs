// Stock clients of Socket.IO 4 (npm's socket.io-client) in chromium: with default options, over WebSocket and by
// polling; and its EventSource behind proxies. Not here: the dashboard's page with that client, EventSource without a
// proxy (examples/dashboard/e2e/).
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, connected, each, openClients, openPage, orders, servePage, useChromium } from "./chromium.mjs";
import { hasProxy, startProxy } from "./proxies.mjs";
import { hasRedis, startRedis } from "./redis_server.mjs";
import { order, request, start } from "./socketio_backend.mjs";
import { startEcho } from "./socketio_server.mjs";

useChromium();

const portOf = ({ address }) => address.split(":")[1];
const notify = (server) => request(server, "POST", "/api/notifications", { message: "last", severity: "info" });

/** Enters and leaves rooms with acknowledgements. */
async function room(page, name, answer) {
  const emit = (socket, [type, room]) => socket.timeout(60000).emitWithAck(type, room).then((message) => message.type);
  assert.deepEqual(await ask(page, emit, [name, "orders"]), each(answer));
}

test("events with attachments, acknowledgements and namespaces, from a page of another origin", async (t) => {
  const echo = await startEcho();
  t.after(echo.stop);
  const page = await openPage(await servePage(t));
  await openClients(page, echo);
  assert.deepEqual(await ask(page, async (socket) => {
    const bytes = (value) => (value instanceof ArrayBuffer ? [...new Uint8Array(value)] : value);
    const back = new Promise((resolve) => socket.once("message-back", (...args) => resolve(args)));
    socket.emit("message", 1, "é", new Uint8Array([0, 1, 255]), { deep: [new Uint8Array(70000).fill(7).buffer] }, null);
    const [number, text, small, { deep: [large] }, nothing] = await back;
    return [number, text, bytes(small), large.byteLength, bytes(large).every((byte) => byte === 7), nothing];
  }), each([1, "é", [0, 1, 255], 70000, true, null]));
  assert.deepEqual(await ask(page, async (socket) => {
    const answer = await socket.timeout(60000).emitWithAck("message-with-ack", { x: new Uint8Array([9]) });
    return [...new Uint8Array(answer.x)];
  }), each([9]));
  assert.deepEqual(await ask(page, async (socket) => {
    const custom = socket.io.socket("/custom", { auth: { b: 2 } });
    const auth = await new Promise((resolve) => custom.once("auth", resolve));
    const answer = await custom.timeout(60000).emitWithAck("message-with-ack", "custom");
    custom.disconnect();
    return [auth, answer, custom.id === socket.id];
  }), each([{ b: 2 }, "custom", false]));
  assert.deepEqual(await ask(page, async (socket) => {
    const error = await new Promise((resolve) => socket.io.socket("/unknown").once("connect_error", resolve));
    return [error.message, await socket.timeout(60000).emitWithAck("message-with-ack", "still")];
  }), each(["Invalid namespace", "still"]));
});

test("with a Redis", { skip: !hasRedis }, async (t) => {
  const options = ["--redis", await startRedis(t), "--topic-rooms", "--threads", "2", "--no-presence"];
  await t.test("clients recover when their backend was killed and returns", (t) => checkReturn(t, options));
  for (const kind of ["nginx", "haproxy"])
    await t.test(`behind ${kind}, clients and EventSource recover on another process`, { skip: !hasProxy(kind) }, (t) =>
      checkMove(t, kind, [...options, "--trusted-proxy", "127.0.0.1"]));
});

async function checkReturn(t, options) {
  const first = await start(t, ...options, "--node", "first");
  const other = await start(t, ...options, "--node", "other");
  const page = await openPage(`http://${first.address}/healthz`);
  await openClients(page, first);
  await room(page, "join_room", "room_joined");
  const ids = [(await order(first)).id];
  await page.waitForFunction(() => Object.values(window.clients).every(({ heard }) => heard.length > 0));
  await first.kill();
  await page.waitForFunction(() => Object.values(window.clients).every(({ socket }) => !socket.connected));
  for (let i = 0; i < 3; i++) ids.push((await order(other)).id);
  await start(t, ...options, "--node", "second", "--listen", first.address);
  await connected(page, 2);
  assert.deepEqual(await ask(page, (socket) => socket.recovered), each(true));
  ids.push((await order(other)).id);
  await notify(other);
  assert.deepEqual(await orders(page), each(ids));
  await room(page, "leave_room", "room_left");
  await page.close();
}

async function checkMove(t, kind, options) {
  const backends = [await start(t, ...options, "--node", `${kind}-1`), await start(t, ...options, "--node", `${kind}-2`)];
  const proxy = await startProxy(t, kind, ...backends.map(portOf));
  const page = await openPage(`http://${proxy.address}/healthz`);
  await openClients(page, proxy);
  await room(page, "join_room", "room_joined");
  await page.evaluate(() => {
    window.stream = [];
    window.source = new EventSource("/events?rooms=orders");
    window.source.onmessage = ({ data }) => window.stream.push(JSON.parse(data));
  });
  await page.waitForFunction(() => window.stream.some(({ type }) => type === "welcome"));
  const ids = [(await order(proxy)).id];
  await page.waitForFunction(() =>
    window.stream.length > 1 && Object.values(window.clients).every(({ heard }) => heard.length > 0));

  // All have the browser's address, and therefore the same process.
  const counts = await Promise.all(backends.map((one) => request(one, "GET", "/ws/stats")));
  const at = counts.findIndex(({ total_connections: n }) => n === 4);
  const other = backends[1 - at];
  await backends[at].kill();
  for (let i = 0; i < 3; i++) ids.push((await order(other)).id);
  await connected(page, 2);
  assert.deepEqual(await ask(page, (socket) => socket.recovered), each(true));
  await page.waitForFunction(() => window.stream.some(({ type }) => type === "recovered"));
  ids.push((await order(other)).id);
  await notify(other);
  assert.deepEqual(await orders(page), each(ids));
  await page.waitForFunction(() => window.stream.some(({ type }) => type === "notification"));
  const stream = await page.evaluate(() => window.stream);
  assert.deepEqual(stream.filter(({ type }) => type === "order_created").map(({ data }) => data.id), ids);
  assert.equal(stream.find(({ type }) => type === "recovered").data.complete, true);
  await room(page, "leave_room", "room_left");
  await page.close();
}
