// Stock clients of Socket.IO 4 (npm's socket.io-client) against the example backend: over WebSocket, by
// long-polling, and as they come, which is polling and then an upgrade.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { test } from "node:test";
import WebSocket from "ws";
import * as clients from "./socketio_backend.mjs";
import { hasRedis, pauseRedis, startRedis } from "./redis_server.mjs";
import { on, order, request, start, upgraded } from "./socketio_backend.mjs";

const SECRET = "a secret of the tests, which has more than 32 bytes";
const SHORT_SECONDS = 5; // as long as a slow machine needs to connect

/** What the clients of all tests use: "websocket", "polling", or "polling,websocket" as they come. */
const transports = process.env.TRANSPORTS.split(",");

const open = (t, server, options) => clients.open(t, server, { transports, ...options });
const connect = (t, server, options) => clients.connect(t, server, { transports, ...options });
const refusal = (t, server, options) => clients.refusal(t, server, { transports, ...options });

/** Starts a backend that requires tokens. */
async function startWithTokens(t, ...options) {
  const folder = mkdtempSync(`${tmpdir()}/socketio-`);
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(`${folder}/secret`, SECRET, { mode: 0o600 });
  return start(t, "--jwt-secret-file", `${folder}/secret`, ...options);
}

/** A token as an issuer would make it. */
function token(user, seconds = 3600, claims = {}, secret = SECRET) {
  const part = (json) => Buffer.from(JSON.stringify(json)).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const text = `${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: user, exp, ...claims })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

test("events of the API arrive", async (t) => {
  const server = await start(t);
  const { next } = await connect(t, server);
  const { id } = await order(server);
  const event = await next("order_created");
  assert.equal(event.type, "order_created");
  assert.equal(event.data.id, id);
  assert.match(event.id, /^[a-z2-7]+\.\d+$/);
  assert.equal((await next("inventory_updated")).data.sku, "WIDGET-1");
});

test("the query or the auth names the user, who receives personal messages", async (t) => {
  const server = await start(t);
  const all = [
    await connect(t, server, { query: { user_id: "ana" } }),
    await connect(t, server, { auth: { user_id: "bob" } }),
    await connect(t, server, { auth: { user_id: "ana" }, query: { user_id: "bob" } }),
  ];
  for (const user_id of ["ana", "bob"])
    await request(server, "POST", "/api/notifications", { message: `for ${user_id}`, severity: "info", user_id });
  await order(server);
  const users = [];
  for (const { next, events } of all) {
    users.push((await next("notification")).data.message);
    await next("order_created");
    assert.ok(!events.some(([name]) => name === "notification"));
  }
  assert.deepEqual(users, ["for ana", "for bob", "for ana"]);
  for (const user_id of ["", "x".repeat(129), 7, null, "a\u0000"])
    assert.equal((await refusal(t, server, { auth: { user_id } }))[1], 400, JSON.stringify(user_id));
});

test("rooms are joined and left with acknowledgements", async (t) => {
  const server = await start(t, "--topic-rooms");
  const inside = await connect(t, server, { auth: { user_id: "ana" } });
  const outside = await connect(t, server);
  const emit = (client, ...args) => client.socket.timeout(30000).emitWithAck(...args);

  const joined = await emit(inside, "join_room", "orders");
  assert.equal(joined.type, "room_joined");
  assert.equal(joined.data.room, "orders");
  assert.equal((await emit(outside, "join_room", "inventory")).type, "room_joined");
  const { id } = await order(server);
  assert.equal((await inside.next("order_created")).data.id, id);
  await outside.next("inventory_updated");
  assert.ok(!outside.events.some(([name]) => name === "order_created"));

  assert.equal((await emit(inside, "join_room", "user:ana")).type, "room_joined");
  for (const room of ["user:bob", "staff:all"])
    assert.equal((await emit(inside, "join_room", room)).data.code, "forbidden");
  assert.equal((await emit(inside, "leave_room", "orders")).type, "room_left");
  assert.equal((await emit(inside, "leave_room", "orders")).data.code, "not_member");
  assert.equal((await emit(inside, "anything", 1)).data.code, "unknown_type");
});

test("messages are relayed to plain clients and to those of Socket.IO", async (t) => {
  const server = await start(t, "--relay");
  const ana = await connect(t, server, { auth: { user_id: "ana" } });
  const bob = await connect(t, server);
  const plain = new WebSocket(`ws://${server.address}/ws`);
  t.after(() => plain.close());
  const received = [];
  plain.on("message", (text) => received.push(JSON.parse(text)));
  await once(plain, "open");
  plain.send(JSON.stringify({ type: "join_room", room: "chat" }));
  while (!received.some(({ type }) => type === "room_joined")) await once(plain, "message");
  const emit = (client, ...args) => client.socket.timeout(30000).emitWithAck(...args);

  assert.equal((await emit(ana, "message", { room: "chat", data: 1 })).data.code, "not_member");
  for (const client of [ana, bob]) assert.equal((await emit(client, "join_room", "chat")).type, "room_joined");
  assert.deepEqual(await emit(ana, "message", { room: "chat", data: { text: "hé" } }), { type: "ack", data: null });
  for (const { next } of [ana, bob]) {
    const event = await next("message");
    assert.deepEqual([event.room, event.user_id, event.data], ["chat", "ana", { text: "hé" }]);
  }
  while (!received.some(({ type }) => type === "message")) await once(plain, "message");
  assert.deepEqual(received.find(({ type }) => type === "message").data, { text: "hé" });
  assert.equal((await emit(ana, "message", "chat")).data.code, "bad_request");
});

test("requests are answered by acknowledgements", async (t) => {
  const server = await start(t);
  const { socket } = await connect(t, server);
  const emit = (...args) => socket.timeout(30000).emitWithAck(...args);

  assert.deepEqual(await emit("request", "echo", { n: [1] }), { type: "response", data: { n: [1] } });
  assert.deepEqual(await emit("echo", "two"), { type: "response", data: "two" });
  assert.equal((await emit("request", "nothing")).data.code, "unknown_method");
  assert.equal((await emit("message", { room: "chat", data: 1 })).data.code, "forbidden");
  assert.equal((await emit("echo", Buffer.from("binary"))).data.code, "bad_request");
});

test("a room's state comes before its events", async (t) => {
  const server = await start(t, "--topic-rooms");
  const { id: first } = await order(server);
  const { id: second } = await order(server);
  await request(server, "PATCH", `/api/orders/${first}/status`, { status: "confirmed" });
  const { socket, until } = await connect(t, server);
  const answer = await socket.timeout(30000).emitWithAck("join_room", "orders", { state: true });
  assert.deepEqual([answer.type, answer.data.room, answer.data.state], ["room_joined", "orders", 2]);
  const { id: third } = await order(server);
  // Kept events have no offset: their ids are no position.
  const kept = [...(await until("order_status_changed")), ...(await until("order_created"))];
  assert.deepEqual(
    kept.map(([name, event, ...offset]) => [name, event.data.id, event.state, offset.length]),
    [
      ["order_created", second, true, 0],
      ["order_status_changed", first, true, 0],
      ["order_created", third, undefined, 1],
    ],
  );
  assert.equal(kept[1][1].data.status, "confirmed");
});

test("clients of Socket.IO and plain WebSockets receive the same events in the same order", async (t) => {
  const server = await start(t, "--no-presence", "--threads", "2");
  const plain = new WebSocket(`ws://${server.address}/ws`);
  t.after(() => plain.close());
  const seen = [];
  let arrived = () => {};
  plain.on("message", (data) => {
    const message = JSON.parse(data);
    if (message.type !== "welcome") seen.push(message);
    arrived();
  });
  await once(plain, "message");
  const client = await connect(t, server);
  await Promise.all(Array.from({ length: 50 }, () => order(server)));
  await request(server, "POST", "/api/notifications", { message: "last", severity: "info" });
  const heard = await client.until("notification");
  while (seen.at(-1)?.type !== "notification") await new Promise((resolve) => (arrived = resolve));
  assert.equal(heard.filter(([name]) => name === "order_created").length, 50);
  assert.deepEqual(heard, seen.map((message) => [message.type, message, message.id]));
});

test("a client comes back after the backend was killed and started again", async (t) => {
  const first = await start(t);
  const { socket, next } = await connect(t, first, { auth: { user_id: "ana" } });
  await upgraded(socket); // a client that is changing its transport notices the end late
  const lost = on(socket, "disconnect");
  const back = on(socket, "connect");
  await first.kill();
  assert.match((await lost)[0], /^transport (close|error)$/);
  const second = await start(t, "--listen", first.address);
  await back;
  assert.equal((await socket.timeout(30000).emitWithAck("join_room", "user:ana")).type, "room_joined");
  const { id } = await order(second);
  assert.equal((await next("order_created")).data.id, id);
});

/** Ends a client's connection as the loss of its network does. */
function cut(transport) {
  if (transport.name === "websocket") {
    transport.ws._socket?.destroy() ?? transport.ws.terminate();
  } else {
    transport.pollXhr.abort();
    transport.onError("cut");
  }
}

test("a client that was cut off recovers its rooms and what it missed", async (t) => {
  const server = await start(t, "--topic-rooms", "--threads", "2");
  const { socket, events, next, until } = await connect(t, server, { auth: { user_id: "ana" } });
  const created = [];
  assert.equal(socket.recovered, false);
  assert.equal((await socket.timeout(30000).emitWithAck("join_room", "orders")).type, "room_joined");
  const { id } = await order(server);
  assert.equal((await next("order_created")).data.id, id);
  for (let round = 0; round < 3; round++) {
    const back = on(socket, "connect");
    const before = socket.id;
    created.push((await order(server)).id); // it may arrive before or after the cut
    cut(socket.io.engine.transport);
    for (let i = 0; i < 5; i++) created.push((await order(server)).id);
    await back;
    assert.equal(socket.recovered, true);
    assert.notEqual(socket.id, before);
  }
  created.push((await order(server)).id);
  const notify = { message: "last", severity: "info", user_id: "ana" };
  await request(server, "POST", "/api/notifications", notify);
  const heard = (await until("notification")).filter(([name]) => name === "order_created");
  assert.deepEqual(heard.map(([, event]) => event.data.id), created);
  assert.equal((await socket.timeout(30000).emitWithAck("leave_room", "orders")).type, "room_left");
  assert.ok(!events.some(([name]) => name === "recovered"));

  // After a disconnect on purpose it is a new client.
  socket.disconnect();
  const again = on(socket, "connect");
  socket.connect();
  await again;
  assert.equal(socket.recovered, false);
});

test("a session is recovered by another process after its own was killed", { skip: !hasRedis }, async (t) => {
  const redis = ["--redis", await startRedis(t), "--topic-rooms"];
  const first = await start(t, ...redis, "--node", "first");
  const other = await start(t, ...redis, "--node", "other");
  const { socket, next, until } = await connect(t, first, { auth: { user_id: "ana" } });
  const joined = await socket.timeout(30000).emitWithAck("join_room", "orders");
  assert.equal(joined.type, "room_joined");
  const orders = [(await order(other)).id];
  assert.equal((await next("order_created")).data.id, orders[0]);
  const lost = on(socket, "disconnect");
  const back = on(socket, "connect");
  await first.kill();
  await lost;
  for (let i = 0; i < 3; i++) orders.push((await order(other)).id);
  await start(t, ...redis, "--node", "second", "--listen", first.address);
  await back;
  assert.equal(socket.recovered, true);
  orders.push((await order(other)).id);
  const notify = { message: "last", severity: "info", user_id: "ana" };
  await request(other, "POST", "/api/notifications", notify);
  const heard = (await until("notification")).filter(([name]) => name === "order_created");
  assert.deepEqual(heard.map(([, event]) => event.data.id), orders.slice(1));
});

test("a room whose join was acknowledged survives the process", { skip: !hasRedis }, async (t) => {
  const rooms = Array.from({ length: 20 }, (_, i) => `room ${i}`);
  const uri = await startRedis(t);
  const redis = ["--redis", uri, "--relay"];
  const other = await start(t, ...redis, "--node", "other");
  const { socket: sender } = await connect(t, other, { auth: { user_id: "bob" } });
  let mortal = await start(t, ...redis, "--node", "0");
  const { socket, next, events } = await connect(t, mortal, { auth: { user_id: "ana" } });
  for (const [i, room] of rooms.entries()) {
    await upgraded(socket);
    const back = on(socket, "connect");
    await pauseRedis(uri, 100); // without this, Redis is faster than the kill
    const killed = new Promise((resolve) => {
      socket.emit("join_room", room, (answer) => {
        assert.equal(answer.type, "room_joined");
        resolve(mortal.kill());
      });
    });
    await killed;
    mortal = await start(t, ...redis, "--node", String(i + 1), "--listen", mortal.address);
    await back;
    assert.equal(socket.recovered, true, room);
    assert.equal((await sender.timeout(30000).emitWithAck("join_room", room)).type, "room_joined");
    await sender.timeout(30000).emitWithAck("message", { room, data: room });
    assert.equal((await next("message")).data, room);
  }
  for (const room of rooms) await sender.timeout(30000).emitWithAck("message", { room, data: room });
  for (const room of rooms) assert.equal((await next("message")).data, room);
  assert.deepEqual(events, []);
});

test("the token may be in the auth, in the query or in a header", async (t) => {
  const server = await startWithTokens(t);
  const good = token("ana");
  for (const options of [
    { auth: { token: good } },
    { query: { token: good } },
    { extraHeaders: { Authorization: `Bearer ${good}` } },
    { auth: { token: good, user_id: "bob" }, query: { token: good, user_id: "bob" } },
    { auth: (callback) => callback({ token: good }) },
  ]) {
    const { socket } = await connect(t, server, options);
    assert.equal((await socket.timeout(30000).emitWithAck("join_room", "user:ana")).type, "room_joined");
  }
});

test("without a valid token a client is refused", async (t) => {
  const server = await startWithTokens(t);
  for (const options of [
    {},
    { auth: { token: "" } },
    { auth: { token: "abc" } },
    { auth: { token: 7 } },
    { auth: { user_id: "ana" } },
    { auth: { token: token("ana", -60) } },
    { auth: { token: token("ana", 3600, {}, "another secret of more than 32 bytes") } },
    { auth: { token: token("ana") }, query: { token: token("bob") } },
    { auth: { token: token("ana") }, extraHeaders: { Authorization: `Bearer ${token("bob")}` } },
    { extraHeaders: { Authorization: `Basic x, Bearer ${token("ana")}` } },
    { query: { token: token("ana", -60) } },
  ])
    assert.equal((await refusal(t, server, options))[1], 401, JSON.stringify(options));
  assert.match((await refusal(t, server, { auth: { token: token("ana", -60) } }))[0], /expired/);
});

test("tokens that expire", { concurrency: true }, (t) =>
  Promise.all([
    t.test("a connection ends with its token, and the client returns with a new one", async (t) => {
      const server = await startWithTokens(t);
      const lives = [SHORT_SECONDS, 3600];
      const { socket } = await connect(t, server, {
        auth: (callback) => callback({ token: token("ana", lives.shift()) }),
      });
      const back = on(socket, "connect");
      const [reason, details] = await on(socket, "disconnect");
      assert.equal(reason, "transport close");
      if (transports[0] === "websocket") assert.equal(details.context.code, 4401);
      await back;
    }),
    t.test("a client whose only token has expired gives up", async (t) => {
      const server = await startWithTokens(t);
      const { socket } = await connect(t, server, { auth: { token: token("ana", SHORT_SECONDS) } });
      const [error] = await on(socket, "connect_error");
      assert.deepEqual(error.data, { status: 401 });
      assert.equal(socket.active, false);
    }),
    t.test("a client renews its token, and loses the rooms that it no longer may enter", async (t) => {
      const server = await startWithTokens(t);
      const { socket, next } = await connect(t, server, {
        auth: { token: token("ana", SHORT_SECONDS, { role: "staff" }) },
      });
      const emit = (...args) => socket.timeout(30000).emitWithAck(...args);
      assert.equal((await emit("join_room", "staff:all")).type, "room_joined");
      assert.equal((await emit("authenticate", token("bob"))).type, "error");
      assert.equal((await emit("authenticate", token("ana", 3600))).type, "authenticated");
      assert.equal((await next("room_left")).data.room, "staff:all");
      assert.equal((await emit("join_room", "staff:all")).data.code, "forbidden");
      const first = open(t, server, { auth: { token: token("ana", SHORT_SECONDS) }, reconnection: false });
      await on(first.socket, "disconnect"); // a token as short as the first has expired
      assert.equal((await emit("join_room", "orders")).type, "room_joined");
    }),
  ]));

test("pages of other origins are refused", async (t) => {
  const server = await start(t, "--allow-origin", "https://shop.example");
  const page = (Origin, Host) => ({ extraHeaders: { Origin, ...(Host && { Host }) } });
  const evil = await refusal(t, server, page("https://evil.example"));
  const rebinding = await refusal(t, server, page("http://evil.example", "evil.example"));
  if (transports[0] === "websocket") {
    assert.deepEqual(evil, ["pages of this origin may not connect", 403]);
    assert.equal(rebinding[1], 403);
  } else {
    assert.deepEqual([evil, rebinding], Array(2).fill(["xhr poll error", undefined]));
  }
  await connect(t, server, page(`http://${server.address}`));
  await connect(t, server, page("https://shop.example"));
});

test("clients change to WebSocket if they may", async (t) => {
  const server = await start(t, "--threads", "4");
  const all = await Promise.all(Array.from({ length: 12 }, () => connect(t, server)));
  for (const { socket } of all) {
    await upgraded(socket);
    assert.equal(socket.io.engine.transport.name, transports.at(-1));
    assert.equal((await socket.timeout(30000).emitWithAck("join_room", "r")).type, "room_joined");
  }
  const { id } = await order(server);
  for (const { next } of all) assert.equal((await next("order_created")).data.id, id);
});
