// A new user's first steps: two `ws` clients, an order by curl. Node's ws and curl against the
// backend.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import WebSocket from "ws";

const run = promisify(execFile);
let backend;
let address;

before(async () => {
  backend = spawn(process.env.ORDERS_BACKEND, ["--listen", "127.0.0.1:0", "--db", ":memory:", "--relay"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(createInterface(backend.stdout), "line");
  address = /^listening on http:\/\/(.*)$/.exec(line)[1];
});

after(async () => {
  backend.kill("SIGTERM");
  const [status] = await once(backend, "exit");
  assert.equal(status, 0);
});

/** Opens a client; returns it and a function that waits for its next message of a type. */
async function connect(path, options) {
  const client = new WebSocket(`ws://${address}${path}`, options);
  const messages = [];
  let arrived = () => {};
  client.on("message", (data) => {
    messages.push(JSON.parse(data));
    arrived();
  });
  await once(client, "open");
  const next = async (type) => {
    for (;;) {
      const at = messages.findIndex((message) => message.type === type);
      if (at >= 0) return messages.splice(0, at + 1).at(-1);
      await new Promise((resolve) => (arrived = resolve));
    }
  };
  return { client, messages, next };
}

test("an order placed with curl reaches both clients once", async () => {
  const first = await connect("/ws?user_id=ana");
  const second = await connect("/ws?user_id=ana");
  await first.next("welcome");
  await second.next("welcome");
  second.client.send('{"type":"join_room","room":"orders","ref":"j"}');
  assert.equal((await second.next("room_joined")).ref, "j");

  const { stdout } = await run("curl", [
    "--silent", "--show-error", "--fail", "--header", "Content-Type: application/json",
    "--data", '{"client_id":1,"items":[{"sku":"WIDGET-1","quantity":1}]}',
    `http://${address}/api/orders`,
  ]);
  const order = JSON.parse(stdout);
  for (const { next, messages } of [first, second]) {
    const event = await next("order_created");
    assert.equal(event.data.id, order.id);
    assert.match(event.id, /^[a-z2-7]+\.\d+$/);
    assert.match(event.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    await next("inventory_updated");
    assert.ok(!messages.some((message) => message.type === "order_created"));
  }
  const { stdout: text } = await run("curl", ["--silent", `http://${address}/ws/stats`]);
  const stats = JSON.parse(text);
  assert.equal(stats.total_connections, 2);
  assert.equal(stats.unique_users, 1);
  assert.deepEqual(stats.rooms, { orders: 1 });
  first.client.close(1000, "done");
  second.client.close(4000, "done");
  const [code, reason] = await once(second.client, "close");
  assert.equal(code, 4000);
  assert.equal(reason.toString(), "");
});

/* The received bytes: compressed if that was agreed on. */
async function receivedFor(offer, data) {
  const { client, next } = await connect("/ws", { perMessageDeflate: offer });
  await next("welcome");
  client.send(JSON.stringify({ type: "join_room", room: "zip", ref: 1 }));
  await next("room_joined");
  const before = client._socket.bytesRead;
  client.send(JSON.stringify({ type: "message", room: "zip", data }));
  assert.deepEqual((await next("message")).data, data);
  const bytes = client._socket.bytesRead - before;
  const agreed = client.extensions;
  client.terminate();
  return { agreed, bytes };
}

test("events are compressed for clients that offer it", async () => {
  const data = Array.from({ length: 50 }, (_, i) => ({ sku: `WIDGET-${i}`, quantity: i }));
  const plain = await receivedFor(false, data);
  assert.equal(plain.agreed, "");
  const zipped = await receivedFor(true, data);
  assert.equal(zipped.agreed, "permessage-deflate");
  assert.ok(zipped.bytes < plain.bytes / 2, `${zipped.bytes} of ${plain.bytes} bytes`);
  const narrow = await receivedFor({ serverMaxWindowBits: 9 }, data);
  assert.equal(narrow.agreed, "permessage-deflate");
  assert.ok(narrow.bytes < plain.bytes, `${narrow.bytes} of ${plain.bytes} bytes`);
});

test("pings are answered with their payload", async () => {
  const { client, next } = await connect("/ws");
  await next("welcome");
  client.ping("are you there");
  const [payload] = await once(client, "pong");
  assert.equal(payload.toString(), "are you there");
  client.terminate();
});

test("the metrics end as OpenMetrics requires", async () => {
  const { stdout } = await run("curl", ["--silent", "--include", `http://${address}/metrics`]);
  assert.match(stdout, /content-type: application\/openmetrics-text; version=1\.0\.0/i);
  assert.match(stdout, /^ws_connections \d+$/m);
  assert.ok(stdout.endsWith("# EOF\n"));
});
