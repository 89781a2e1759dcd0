// The protocols Engine.IO 4 and Socket.IO 5, packet by packet, as their own test suites check them. The
// server is examples/socketio-echo, the clients are Node's ws and fetch().
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import WebSocket from "ws";

import { startEcho } from "./socketio_server.mjs";

const PING_INTERVAL = 300;
const PING_TIMEOUT = 200;

let server;

before(async () => {
  server = await startEcho();
});

after(() => server.stop());

/** A client that keeps what it receives: texts and Buffers, and "close" at the end. */
function open(path, query = "EIO=4&transport=websocket") {
  const socket = new WebSocket(`ws://${server.address}${path}?${query}`);
  const received = [];
  let arrived = () => {};
  const keep = (item) => {
    received.push(item);
    arrived();
  };
  socket.on("message", (data, isBinary) => keep(isBinary ? data : data.toString()));
  socket.on("error", () => {});
  socket.on("close", (code, reason) => {
    socket.reason = { code, reason: reason.toString() };
    keep("close");
  });
  socket.next = async () => {
    while (received.length === 0) await new Promise((resolve) => (arrived = resolve));
    return received.shift();
  };
  return socket;
}

async function closed(socket) {
  while ((await socket.next()) !== "close");
}

describe("Engine.IO over WebSocket", () => {
  async function session() {
    const socket = open("/engine.io/");
    await socket.next();
    return socket;
  }

  it("opens a session", async () => {
    const socket = open("/engine.io/");
    const packet = await socket.next();
    assert.equal(packet[0], "0");
    const { sid, ...rest } = JSON.parse(packet.slice(1));
    assert.equal(typeof sid, "string");
    assert.ok(sid.length >= 20);
    assert.deepEqual(rest, {
      upgrades: [],
      pingInterval: PING_INTERVAL,
      pingTimeout: PING_TIMEOUT,
      maxPayload: 1000000,
    });
    socket.close();
  });

  for (const query of ["transport=websocket", "EIO=abc&transport=websocket", "EIO=3&transport=websocket",
    "EIO=4", "EIO=4&transport=abc"]) {
    it(`refuses ?${query}`, async () => {
      await closed(open("/engine.io/", query));
    });
  }

  it("carries texts and bytes", async () => {
    const socket = await session();
    socket.send("4hello");
    assert.equal(await socket.next(), "4hello");
    socket.send(Buffer.from([1, 2, 3, 4]));
    assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3, 4]));
    socket.close();
  });

  it("closes on an invalid packet", async () => {
    const socket = await session();
    socket.send("abc");
    await closed(socket);
    assert.equal(socket.reason.code, 1002);
  });

  it("sends pings, and goes on while they are answered", async () => {
    const socket = await session();
    for (let i = 0; i < 3; i++) {
      assert.equal(await socket.next(), "2");
      socket.send("3");
    }
    socket.close();
  });

  it("closes when a ping is not answered", async () => {
    const socket = await session();
    assert.equal(await socket.next(), "2");
    assert.equal(await socket.next(), "close");
  });

  it("closes when the client says so", async () => {
    const socket = await session();
    socket.send("1");
    assert.equal(await socket.next(), "close");
  });
});

/** One request of a polling client. */
function fetched(query, options) {
  return fetch(`http://${server.address}/engine.io/?${query}`, options);
}

const POLLING = "EIO=4&transport=polling";

/** Opens a session by HTTP; returns its id. */
async function pollingSession() {
  const response = await fetched(POLLING);
  return JSON.parse((await response.text()).slice(1)).sid;
}

const poll = (sid, options) => fetched(`${POLLING}&sid=${sid}`, options);
const post = (sid, body) => poll(sid, { method: "POST", body });
const polled = async (sid) => (await poll(sid)).text();

/** The next packets other than pings, which it answers. */
async function messages(sid) {
  for (;;) {
    const packets = (await polled(sid)).split("\x1e");
    const others = packets.filter((packet) => packet !== "2");
    if (others.length < packets.length) await post(sid, "3");
    if (others.length > 0) return others.join("\x1e");
  }
}

async function isGone(sid) {
  const response = await poll(sid);
  assert.equal(response.status, 400, await response.text());
}

describe("Engine.IO over HTTP", () => {
  it("opens a session", async () => {
    const response = await fetched(POLLING);
    assert.equal(response.status, 200);
    const packet = await response.text();
    assert.equal(packet[0], "0");
    const { sid, ...rest } = JSON.parse(packet.slice(1));
    assert.equal(typeof sid, "string");
    assert.deepEqual(rest, {
      upgrades: ["websocket"],
      pingInterval: PING_INTERVAL,
      pingTimeout: PING_TIMEOUT,
      maxPayload: 1000000,
    });
  });

  for (const [query, options] of [["transport=polling"], ["EIO=abc&transport=polling"], ["EIO=4"],
    ["EIO=4&transport=abc"], [POLLING, { method: "POST" }], [POLLING, { method: "PUT" }]]) {
    it(`refuses ${options?.method ?? "GET"} ?${query}`, async () => {
      const response = await fetched(query, options);
      assert.equal(response.status, 400);
      assert.deepEqual(Object.keys(await response.json()), ["code", "message"]);
    });
  }

  it("lets pages of any origin use it", async () => {
    const headers = { Origin: "https://example.com" };
    const preflight = await fetched(POLLING, { method: "OPTIONS", headers });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("Access-Control-Allow-Origin"), "https://example.com");
    const response = await fetched(POLLING, { headers });
    assert.equal(response.headers.get("Access-Control-Allow-Credentials"), "true");
  });

  it("carries texts and bytes", async () => {
    const sid = await pollingSession();
    const response = await post(sid, "4test");
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "ok");
    assert.equal(await messages(sid), "4test");
    await post(sid, "4test1\x1e4test2\x1e4test3");
    assert.equal(await messages(sid), "4test1\x1e4test2\x1e4test3");
    await post(sid, "bAQIDBA==");
    assert.equal(await messages(sid), "bAQIDBA==");
  });

  it("takes a body in chunks, and many packets", async () => {
    const sid = await pollingSession();
    const packets = Array.from({ length: 100 }, (_, i) => `4${i}${"é".repeat(1000)}`).join("\x1e");
    const half = packets.length / 2;
    const body = ReadableStream.from([packets.slice(0, half), packets.slice(half)].map((part) => Buffer.from(part)));
    const response = await poll(sid, { method: "POST", body, duplex: "half" });
    assert.equal(await response.text(), "ok");
    let received = await messages(sid);
    while (received.length < packets.length) received += `\x1e${await messages(sid)}`;
    assert.equal(received, packets);
  });

  for (const payload of ["abc", "4\x1e", "", "b!!"]) {
    it(`ends the session on ${JSON.stringify(payload)}`, async () => {
      const sid = await pollingSession();
      assert.equal((await post(sid, payload)).status, 400);
      await isGone(sid);
    });
  }

  it("ends the session on a second poll", async () => {
    const sid = await pollingSession();
    const statuses = await Promise.all([0, 1].map(async () => {
      const response = await poll(sid);
      return [response.status, await response.text()];
    }));
    assert.deepEqual(statuses.find(([status]) => status === 200), [200, "1"]);
    assert.ok(statuses.some(([status]) => status === 400));
    await isGone(sid);
  });

  it("ends the session on a poll that is given up", async () => {
    const sid = await pollingSession();
    const [host, port] = server.address.split(":");
    const socket = connect(Number(port), host);
    socket.end(`GET /engine.io/?${POLLING}&sid=${sid} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    await once(socket.resume(), "close");
    await isGone(sid);
  });

  it("sends pings, and goes on while they are answered", async () => {
    const sid = await pollingSession();
    for (let i = 0; i < 3; i++) {
      assert.equal(await polled(sid), "2");
      assert.equal((await post(sid, "3")).status, 200);
    }
  });

  it("ends the session when a ping is not answered", async () => {
    const sid = await pollingSession();
    await new Promise((resolve) => setTimeout(resolve, PING_INTERVAL + PING_TIMEOUT));
    await isGone(sid);
  });

  it("ends the session when the client says so", async () => {
    const sid = await pollingSession();
    const [response] = await Promise.all([poll(sid), post(sid, "1")]);
    if (response.status === 200) assert.equal(await response.text(), "6");
    await isGone(sid);
  });
});

describe("An upgrade of Engine.IO", () => {
  const upgrade = (sid) => open("/engine.io/", `EIO=4&transport=websocket&sid=${sid}`);

  async function upgraded() {
    const sid = await pollingSession();
    const socket = upgrade(sid);
    await once(socket, "open");
    socket.send("2probe");
    assert.equal(await socket.next(), "3probe");
    socket.send("5");
    return { sid, socket };
  }

  it("carries messages on", async () => {
    const { socket } = await upgraded();
    socket.send("4hello");
    assert.equal(await socket.next(), "4hello");
    socket.close();
  });

  it("releases the poll that waits", async () => {
    const sid = await pollingSession();
    const socket = upgrade(sid);
    await once(socket, "open");
    const waiting = polled(sid);
    socket.send("2probe");
    assert.equal(await waiting, "6");
    assert.equal(await socket.next(), "3probe");
    socket.send("5");
    socket.send("4hello");
    assert.equal(await socket.next(), "4hello");
    socket.close();
  });

  it("brings what waits", async () => {
    const sid = await pollingSession();
    const socket = upgrade(sid);
    await once(socket, "open");
    socket.send("2probe");
    assert.equal(await socket.next(), "3probe");
    await post(sid, "4a\x1e4b\x1ebAQID");
    socket.send("5");
    assert.equal(await socket.next(), "4a");
    assert.equal(await socket.next(), "4b");
    assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
    socket.close();
  });

  it("ends the requests of the session", async () => {
    const { sid, socket } = await upgraded();
    await isGone(sid);
    assert.equal((await post(sid, "4x")).status, 400);
    const second = upgrade(sid);
    await closed(second);
    assert.equal(second.reason.code, 1002);
    socket.send("4hello");
    assert.equal(await socket.next(), "4hello");
    socket.close();
  });

  it("fails, and polling goes on", async () => {
    const sid = await pollingSession();
    for (const packet of ["5", "2", "4early", "2probf"]) {
      const socket = upgrade(sid);
      await once(socket, "open");
      const second = upgrade(sid);
      await closed(second);
      assert.equal(second.reason.code, 1002);
      socket.send(packet);
      await closed(socket);
    }
    await post(sid, "4still");
    assert.match(await messages(sid), /4still/);
  });

  it("is refused for an unknown session", async () => {
    await closed(upgrade("abc"));
  });
});

describe("Socket.IO", () => {
  async function session() {
    const socket = open("/socket.io/");
    assert.equal((await socket.next())[0], "0");
    return socket;
  }

  async function connected() {
    const socket = await session();
    socket.send("40");
    await socket.next();
    await socket.next();
    return socket;
  }

  it("connects to the default namespace", async () => {
    const socket = await session();
    socket.send("40");
    const packet = await socket.next();
    assert.ok(packet.startsWith("40{"));
    assert.deepEqual(Object.keys(JSON.parse(packet.slice(2))), ["sid"]);
    assert.equal(await socket.next(), '42["auth",{}]');
    socket.close();
  });

  it("connects with an auth", async () => {
    const socket = await session();
    socket.send('40{"token":"123"}');
    await socket.next();
    assert.equal(await socket.next(), '42["auth",{"token":"123"}]');
    socket.close();
  });

  it("connects to another namespace", async () => {
    const socket = await session();
    socket.send("40/custom,");
    assert.match(await socket.next(), /^40\/custom,\{"sid":"[^"]+"\}$/);
    assert.equal(await socket.next(), '42/custom,["auth",{}]');
    socket.close();
  });

  it("connects to another namespace with an auth", async () => {
    const socket = await session();
    socket.send('40/custom,{"token":"abc"}');
    await socket.next();
    assert.equal(await socket.next(), '42/custom,["auth",{"token":"abc"}]');
    socket.close();
  });

  it("refuses an unknown namespace", async () => {
    const socket = await session();
    socket.send("40/random");
    assert.equal(await socket.next(), '44/random,{"message":"Invalid namespace"}');
    socket.close();
  });

  it("closes when no socket is connected", async () => {
    const socket = await session();
    await closed(socket);
  });

  it("disconnects from the default namespace, and the session goes on", async () => {
    const socket = await connected();
    socket.send("41");
    assert.equal(await socket.next(), "2");
    socket.close();
  });

  it("disconnects from one namespace only", async () => {
    const socket = await connected();
    socket.send("40/custom");
    await socket.next();
    await socket.next();
    socket.send("41/custom");
    socket.send('42["message","message to main namespace"]');
    assert.equal(await socket.next(), '42["message-back","message to main namespace"]');
    socket.close();
  });

  it("carries events", async () => {
    const socket = await connected();
    socket.send('42["message",1,"2",{"3":[true]}]');
    assert.equal(await socket.next(), '42["message-back",1,"2",{"3":[true]}]');
    socket.close();
  });

  it("carries events with attachments", async () => {
    const socket = await connected();
    const args = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
    socket.send(`452-["message",${args}]`);
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(Buffer.from([4, 5, 6]));
    assert.equal(await socket.next(), `452-["message-back",${args}]`);
    assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
    assert.deepEqual(await socket.next(), Buffer.from([4, 5, 6]));
    socket.close();
  });

  it("acknowledges", async () => {
    const socket = await connected();
    socket.send('42456["message-with-ack",1,"2",{"3":[false]}]');
    assert.equal(await socket.next(), '43456[1,"2",{"3":[false]}]');
    socket.close();
  });

  it("acknowledges with attachments", async () => {
    const socket = await connected();
    const args = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}';
    socket.send(`452-789["message-with-ack",${args}]`);
    socket.send(Buffer.from([1, 2, 3]));
    socket.send(Buffer.from([4, 5, 6]));
    assert.equal(await socket.next(), `462-789[${args}]`);
    assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
    assert.deepEqual(await socket.next(), Buffer.from([4, 5, 6]));
    socket.close();
  });

  for (const packet of ["4abc", "42{}", '42abc["message-with-ack",1]', '42["disconnect"]', "40",
    '42/custom,["message"]x', "44{}", "2probe"]) {
    it(`closes on ${packet}`, async () => {
      const socket = await connected();
      socket.send(packet);
      await closed(socket);
      assert.equal(socket.reason.code, 1002);
    });
  }

  it("closes on an attachment of no packet, and on a packet before its attachments", async () => {
    const first = await connected();
    first.send(Buffer.from([1]));
    await closed(first);
    const second = await connected();
    second.send('451-["message",{"_placeholder":true,"num":0}]');
    second.send('42["message"]');
    await closed(second);
    assert.equal(second.reason.reason, "a packet arrived before all attachments of the previous packet");
  });
});
