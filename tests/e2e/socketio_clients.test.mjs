// Stock clients of Socket.IO 4 (npm's socket.io-client) against examples/socketio-echo.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { io } from "socket.io-client";

import { startEcho } from "./socketio_server.mjs";

let server;
const sockets = [];

before(async () => {
  server = await startEcho();
});

after(async () => {
  for (const socket of sockets) socket.disconnect();
  await server.stop();
});

/** The arguments of the next event of that name. */
function next(socket, name) {
  return new Promise((resolve) => socket.once(name, (...args) => resolve(args)));
}

/** Breaks a client's connection off. */
function lose(transport) {
  if (transport.name === "websocket") transport.ws._socket.destroy();
  else transport.onError("lost");
}

for (const transports of [["websocket"], ["polling"], ["polling", "websocket"]]) {
  describe(`over ${transports.join(" and ")}`, () => {
    /** A socket of a connection of its own. */
    function open(namespace = "/", options = {}) {
      const socket = io(`http://${server.address}${namespace}`, {
        transports,
        forceNew: true,
        reconnectionDelay: 10,
        reconnectionDelayMax: 20,
        ...options,
      });
      sockets.push(socket);
      return socket;
    }

    test("a client connects with its auth, and knows its id", async () => {
      const socket = open("/", { auth: { token: "123", nested: [1, null] } });
      const auth = next(socket, "auth");
      await next(socket, "connect");
      assert.match(socket.id, /^[a-z0-9]+-[0-9a-f]+$/);
      assert.deepEqual(await auth, [{ token: "123", nested: [1, null] }]);
    });

    test("the path may lack its last slash", async () => {
      const socket = open("/", { addTrailingSlash: false });
      await next(socket, "connect");
      const back = next(socket, "message-back");
      socket.emit("message", 1);
      assert.deepEqual(await back, [1]);
    });

    test("events carry any arguments", async () => {
      const socket = open();
      const args = [1, "2", { 3: ["é", true] }, null, Buffer.from([1, 2, 3]), { deep: [Buffer.from([])] }];
      const back = next(socket, "message-back");
      socket.emit("message", ...args);
      assert.deepEqual(await back, args);
    });

    test("acknowledgements carry any arguments", async () => {
      const socket = open();
      assert.equal(await socket.timeout(5000).emitWithAck("message-with-ack", "a"), "a");
      const args = await new Promise((resolve) =>
        socket.emit("message-with-ack", { x: [Buffer.from([7])] }, 2, (...values) => resolve(values)));
      assert.deepEqual(args, [{ x: [Buffer.from([7])] }, 2]);
    });

    test("many events at once come back in order", async () => {
      const socket = open();
      const seen = [];
      const all = new Promise((resolve) => {
        socket.on("message-back", (i) => {
          seen.push(i);
          if (seen.length === 500) resolve();
        });
      });
      for (let i = 0; i < 500; i++) socket.emit("message", i);
      await all;
      assert.deepEqual(seen, [...Array(500).keys()]);
    });

    test("two namespaces share a connection", async () => {
      const socket = open("/", { auth: { a: 1 } });
      await next(socket, "connect");
      const custom = socket.io.socket("/custom", { auth: { b: 2 } });
      sockets.push(custom);
      assert.deepEqual(await next(custom, "auth"), [{ b: 2 }]);
      assert.notEqual(custom.id, socket.id);
      const back = next(custom, "message-back");
      custom.emit("message", "custom");
      assert.deepEqual(await back, ["custom"]);
      custom.disconnect();
      assert.equal(await socket.timeout(5000).emitWithAck("message-with-ack", "still"), "still");
      custom.connect();
      await next(custom, "connect");
    });

    test("an unknown namespace is a connect error", async () => {
      const socket = open("/unknown");
      const [error] = await next(socket, "connect_error");
      assert.equal(error.message, "Invalid namespace");
    });

    test("a client upgrades while events go both ways", async () => {
      const socket = open();
      const seen = [];
      let n = 0;
      const sender = setInterval(() => socket.emit("message", n++), 1);
      socket.on("message-back", (i) => seen.push(i));
      const upgraded = transports.length > 1 ? next(socket.io.engine, "upgrade") : null;
      await next(socket, "connect");
      await upgraded;
      assert.equal(socket.io.engine.transport.name, transports.at(-1));
      clearInterval(sender);
      await socket.timeout(5000).emitWithAck("message-with-ack", 1);
      assert.deepEqual(seen, [...Array(n).keys()]);
    });

    test("heartbeats keep a client connected", async () => {
      const socket = open();
      await next(socket, "connect");
      for (let i = 0; i < 4; i++) await next(socket.io, "ping");
      assert.ok(socket.connected);
    });

    test("a client that loses its connection comes back", async () => {
      const socket = open();
      await next(socket, "connect");
      const former = socket.id;
      const lost = next(socket, "disconnect");
      lose(socket.io.engine.transport);
      await lost;
      await next(socket, "connect");
      assert.notEqual(socket.id, former);
      assert.equal(await socket.timeout(5000).emitWithAck("message-with-ack", 1), 1);
    });

    test("a message that is too large ends the connection, and the client comes back", async () => {
      const socket = open();
      await next(socket, "connect");
      const lost = next(socket, "disconnect");
      socket.emit("message", "x".repeat(1000001));
      assert.match((await lost)[0], /^transport (close|error)$/);
      await next(socket, "connect");
    });
  });
}
