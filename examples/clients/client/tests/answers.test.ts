/** What becomes of messages and requests when connections end, and of rooms with several holders. */
import net, { type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";
import { describe, expect, it, vi } from "vitest";
import type { TestedClient } from "./support/events";
import { Backend } from "./support/backend";
import { cleanups, startStub } from "./support/cleanups";
import { createClient, nextEvent } from "./support/client";
import { whenState } from "./support/states";
import { answer, send, welcome, type Received } from "./support/stub-server";

function start(url: string, options: Parameters<typeof createClient>[1] = {}): TestedClient {
  const { client } = createClient(url, options);
  cleanups.push(() => client.close());
  client.connect();
  return client;
}

function welcomeUser(socket: Received["socket"], user: string | null, connection = "c"): void {
  const data = { connection_id: connection, user_id: user, id: "stub.0", ping_interval_ms: 0 };
  send(socket, { type: "welcome", data });
}

function recover(socket: Received["socket"]): void {
  send(socket, { type: "recovered", data: { complete: true, count: 0, id: "stub.0" } });
}

const ack = ({ socket, message }: Received, data: unknown = null) =>
  send(socket, { type: "ack", ref: message.ref, data });

describe("a message that was not answered", () => {
  it("is sent again with its ref, before those that were not sent yet", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => {
        welcomeUser(socket, "ana");
        if (count > 1) recover(socket);
      },
      onMessage: (received) => {
        if (stub.connections === 1) {
          if (stub.received.length === 2) received.socket.terminate();
        } else {
          ack(received, received.message.ref);
        }
      },
    });
    const client = start(stub.url);
    await whenState(client, "connected");
    const first = [client.send({ data: "one" }), client.request("two")];
    await whenState(client, "reconnecting");
    const answers = await Promise.all([...first, client.send({ data: "three" })]);
    expect(answers).toEqual([1, 2, 3]);
    expect(stub.received.map(({ ref }) => ref)).toEqual([1, 2, 1, 2, 3]);
    expect(stub.received[2]).toEqual(stub.received[0]);
    expect(stub.received[3]).toEqual({ type: "request", method: "two", data: null, ref: 2 });
  });

  it.each([
    ["is rejected for an anonymous client, whom the server does not know again", [null, "ana"], ["sent", "waiting"]],
    ["is not sent as another user, nor is one that waited", ["ana", "ben"], ["sent", "later"]],
    ["is not sent as nobody, nor is one that waited", ["ana", null], ["sent", "later"]],
  ])("%s", async (_case, users, received) => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => {
        welcomeUser(socket, users[count - 1] ?? null);
        if (count > 1) recover(socket);
      },
      onMessage: (each) => (stub.connections === 1 ? each.socket.terminate() : ack(each)),
    });
    const client = start(stub.url);
    await whenState(client, "connected");
    const sent = client.send({ data: "sent" }).catch((error: unknown) => error);
    await whenState(client, "reconnecting");
    const waiting = client.send({ data: "waiting" }).catch((error: unknown) => error);
    expect(await sent).toMatchObject({ code: "closed" });
    if (received.includes("waiting")) {
      expect(await waiting).toBeNull();
    } else {
      expect(await waiting).toMatchObject({ code: "closed" });
      await client.send({ data: "later" });
    }
    expect(stub.received).toMatchObject(received.map((data) => ({ data })));
  });

  it("but was sent after close(), is the next user's", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => {
        welcomeUser(socket, count === 1 ? "ana" : "ben");
        if (count > 1) recover(socket);
      },
      onMessage: ack,
    });
    const client = start(stub.url);
    await whenState(client, "connected");
    client.close();
    const sent = client.send({ data: 1 });
    client.connect();
    expect(await sent).toBeNull();
  });

  it("is not sent before the client has recovered: the next connection would not name this one", async () => {
    const former: (string | null)[] = [];
    const received: string[] = [];
    const stub = await startStub({
      onConnection: (socket, url, count) => {
        former.push(url.searchParams.get("connection_id"));
        welcomeUser(socket, "ana", `c${count}`);
        if (count === 3) recover(socket);
      },
      onMessage: (each) => {
        received.push(`${stub.connections} ${each.message.type}`);
        if (each.message.type !== "join_room") ack(each);
        else if (stub.connections === 2) each.socket.terminate();
        else answer(each);
      },
    });
    const client = start(stub.url);
    await whenState(client, "connected");
    stub.sockets.forEach((socket) => socket.terminate());
    await whenState(client, "reconnecting");
    const waiting = client.send({ data: "waiting" });
    await whenState(client, "connected");
    const sent = client.send({ data: "sent" });
    // This ends the second connection, after all that the client has sent on it.
    const room = client.room("blue");
    await Promise.all([waiting, sent, room.joined]);
    expect(former).toEqual([null, "c1", "c1"]);
    expect(received).toEqual(["2 join_room", "3 join_room", "3 message", "3 message"]);
  });

  it("does not keep the server from answering: no more than it allows are under way", async () => {
    const stub = await startStub({
      onMessage: (received) => {
        if (stub.received.length === 64) {
          // Answers come later than the next message could.
          setImmediate(() => stub.received.forEach((message) => ack({ ...received, message })));
        } else if (stub.received.length > 64) {
          ack(received, "later");
        }
      },
    });
    const client = start(stub.url);
    await whenState(client, "connected");
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => client.send({ data: i })),
    );
    expect(answers.slice(0, 64)).toEqual(Array(64).fill(null));
    expect(answers.slice(64)).toEqual(Array(36).fill("later"));
  });

  it("is rejected when its time is over, with or without a connection, or by a signal", async () => {
    const stub = await startStub({ onMessage: () => undefined });
    const client = start(stub.url, { answerTimeoutMs: 10 });
    await expect(client.request("slow")).rejects.toMatchObject({ code: "timeout" });
    await expect(client.send({ data: 1 }, { timeoutMs: 1 })).rejects.toMatchObject({ code: "timeout" });

    const abort = new AbortController();
    const aborted = client.request("slow", null, { timeoutMs: 2 ** 40, signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toMatchObject({ name: "AbortError" });
    await expect(client.send({ data: 1 }, { signal: abort.signal })).rejects.toMatchObject({ name: "AbortError" });

    const away = createClient(stub.url).client;
    await expect(away.send({ data: 1 }, { timeoutMs: 1 })).rejects.toMatchObject({ code: "timeout" });
  });
});

describe("a request of the server", () => {
  it("is answered by the application's method, or with an error", async () => {
    const responses: unknown[] = [];
    let all: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => (all = resolve));
    const stub = await startStub({
      onConnection: (socket) => {
        welcome(socket);
        send(socket, { type: "request", ref: "a", method: "total", data: { currency: "EUR" } });
        send(socket, { type: "request", ref: 2, method: "later" });
        send(socket, { type: "request", ref: 3, method: "none" });
        send(socket, { type: "request", ref: 4, method: "circular" });
        send(socket, { type: "request", method: "total" });
      },
      onMessage: ({ message }) => {
        responses.push(message);
        if (responses.length === 4) all();
      },
    });
    const { client, problems } = createClient(stub.url);
    cleanups.push(() => client.close());
    client.onRequest("total", (data) => ({ total: 7, ...(data as object) }));
    client.onRequest("later", () => Promise.reject(new Error("not today")));
    client.onRequest("circular", () => {
      const circle: { self?: unknown } = {};
      circle.self = circle;
      return circle;
    });
    client.onRequest("none", () => 1)();
    client.connect();
    await answered;
    const byRef = new Map(responses.map((each) => [(each as { ref: unknown }).ref, each]));
    expect(byRef.get("a")).toEqual({ type: "response", ref: "a", data: { total: 7, currency: "EUR" } });
    expect(byRef.get(2)).toMatchObject({ error: { code: "failed", message: "not today" } });
    expect(byRef.get(3)).toMatchObject({ error: { code: "unknown_method" } });
    expect(byRef.get(4)).toMatchObject({ error: { code: "failed" } });
    expect(problems).toMatchObject([{ kind: "bad_message" }]);
    await expect(client.send({ data: 1n })).rejects.toBeInstanceOf(TypeError);
  });
});

describe("a room", () => {
  it("is left when the last of its holders has left", async () => {
    const stub = await startStub();
    const client = start(stub.url);
    await whenState(client, "connected");
    const heard: string[] = [];
    const [page, chat] = [client.room("orders"), client.room("orders")];
    await Promise.all([page.joined, chat.joined]);
    page.on("notification", ({ message }) => heard.push(`page ${message}`));
    chat.on("notification", ({ message }) => heard.push(`chat ${message}`));
    client.on("notification", () => heard.push("all"));
    await chat.leave();
    await chat.leave();
    expect(stub.received.map(({ type }) => type)).toEqual(["join_room", "join_room"]);
    const data = { message: "m", severity: "info" };
    const [socket] = stub.sockets;
    if (socket === undefined) throw new Error("no connection");
    const other = nextEvent(client, "notification");
    send(socket, { type: "notification", room: "others", data });
    await other;
    const own = nextEvent(client, "notification");
    send(socket, { type: "notification", room: "orders", data });
    await own;
    expect(heard).toEqual(["all", "page m", "all"]);
    await page.leave();
    expect(stub.received.map(({ type }) => type)).toEqual(["join_room", "join_room", "leave_room"]);
  });

  it("stays with the others when one holder is refused what it wants of it", async () => {
    const stub = await startStub({
      onConnection: (socket, url) => {
        welcome(socket);
        if (url.searchParams.has("after")) {
          send(socket, { type: "recovered", data: { complete: true, count: 0, id: "stub.0" } });
        }
      },
      onMessage: (received) => {
        const { socket, message } = received;
        if ("presence" in message) {
          const data = { code: "forbidden", message: "not for you" };
          send(socket, { type: "error", ref: message.ref, data });
        } else {
          answer(received);
        }
      },
    });
    const client = start(stub.url);
    await client.room("blue").joined;
    await expect(client.room("blue", { presence: true }).joined).rejects.toMatchObject({ code: "forbidden" });
    const back = nextEvent(client, "recovered");
    stub.sockets.forEach((socket) => socket.terminate());
    await back;
    const heard = nextEvent(client, "notification");
    client.room("blue").on("notification", () => undefined);
    stub.sockets.forEach((socket) => send(socket, { type: "notification", data: { message: "m", severity: "info" } }));
    await heard;
    expect(stub.received.map((message) => [message.type, "presence" in message])).toEqual([
      ["join_room", false],
      ["join_room", true],
    ]);
  });

  it("is entered by one holder although another, before it, was refused", async () => {
    const stub = await startStub({
      onMessage: (received) => {
        const { socket, message } = received;
        if ("presence" in message || message.room === "red") {
          const data = { code: "forbidden", message: "not for you" };
          send(socket, { type: "error", ref: message.ref, data });
        } else {
          answer(received);
        }
      },
    });
    const client = start(stub.url);
    await whenState(client, "connected");
    const curious = client.room("blue", { presence: true });
    const modest = client.room("blue");
    const [first, second] = [client.room("red"), client.room("red")];
    await expect(curious.joined).rejects.toMatchObject({ code: "forbidden" });
    expect((await modest.joined).room).toBe("blue");
    await expect(first.joined).rejects.toMatchObject({ code: "forbidden" });
    await expect(second.joined).rejects.toMatchObject({ code: "forbidden" });
    await Promise.all([first.leave(), second.leave(), curious.leave(), modest.leave()]);
    expect(stub.received.map(({ type, room }) => `${type} ${String(room)}`)).toEqual([
      "join_room blue",
      "join_room blue",
      "join_room red",
      "join_room red",
      "leave_room blue",
    ]);
  });

  it("that cannot be joined for now is tried again, and its events in between are missed", async () => {
    const codes = ["rate_limited", "failed"];
    const stub = await startStub({
      onMessage: (received) => {
        const { socket, message } = received;
        const code = codes.shift();
        if (code !== undefined) {
          send(socket, { type: "error", ref: message.ref, data: { code, message: "not now" } });
        } else {
          answer(received);
        }
      },
    });
    const client = start(stub.url, { onProblem: () => undefined });
    await whenState(client, "connected");
    const missed = nextEvent(client, "missed");
    await expect(client.room("blue").joined).rejects.toMatchObject({ code: "rate_limited" });
    expect((await missed).data).toEqual({ reason: "rooms", rooms: ["blue"] });
    expect(stub.received).toHaveLength(3);
  });

  it("that cannot be joined for now by two connections in turn is tried again by the second", async () => {
    const stub = await startStub({
      onMessage: (received) => {
        const { socket, message } = received;
        if (stub.received.length > 2) {
          answer(received);
          return;
        }
        send(socket, { type: "error", ref: message.ref, data: { code: "rate_limited", message: "not now" } });
        // In place of the first connection's next try.
        if (stub.received.length === 1) socket.close(1012);
      },
    });
    const client = start(stub.url, { firstDelayMs: 50, random: () => 0, onProblem: () => undefined });
    const joined = nextEvent(client, "room_joined");
    await expect(client.room("blue").joined).rejects.toMatchObject({ code: "rate_limited" });
    await joined;
    expect(stub.connections).toBe(2);
  });

  it("that the server takes away is reported, and not joined again", async () => {
    const stub = await startStub();
    const { client, problems } = createClient(stub.url);
    cleanups.push(() => client.close());
    client.connect();
    await whenState(client, "connected");
    await client.room("blue").joined;
    const left = nextEvent(client, "room_left");
    stub.sockets.forEach((socket) => send(socket, { type: "room_left", data: { room: "blue", id: "stub.1" } }));
    await left;
    expect(problems).toMatchObject([{ kind: "room_lost", room: "blue" }]);
    stub.sockets.forEach((socket) => socket.terminate());
    await whenState(client, "reconnecting");
    await whenState(client, "connected");
    expect(stub.received.map(({ type }) => type)).toEqual(["join_room"]);
  });

  it("has its presence again after a reconnect, and without a list if it is too long", async () => {
    const stub = await startStub({
      onConnection: (socket, url) => {
        welcome(socket);
        if (url.searchParams.has("after")) {
          send(socket, { type: "recovered", data: { complete: true, count: 0, id: "stub.0" } });
        }
      },
      onMessage: (received) => {
        answer(received);
        const members = [{ user_id: "ana", connections: 1, state: null }];
        send(received.socket, { type: "presence", room: "blue", data: { count: 1, members } });
        send(received.socket, { type: "presence_changed", room: "blue", data: { count: 2000 } });
      },
    });
    const client = start(stub.url);
    const room = client.room("blue", { presence: true });
    const seen: unknown[] = [];
    const thrice = new Promise<void>((resolve) => {
      room.subscribePresence(() => {
        seen.push(room.getPresence());
        if (seen.length === 2) stub.sockets.forEach((socket) => socket.terminate());
        if (seen.length === 5) resolve();
      });
    });
    await thrice;
    const small = { count: 1, members: [{ user_id: "ana", connections: 1, state: null }] };
    const big = { count: 2000, members: null };
    expect(seen).toEqual([small, big, null, small, big]);
    expect(stub.received.map(({ type, ...rest }) => [type, rest])).toEqual([
      ["join_room", { room: "blue", presence: true, ref: 1 }],
      ["join_room", { room: "blue", presence: true, ref: 2 }],
    ]);
  });
});

describe("the service's presence", () => {
  async function watch(codes: string[]) {
    const all = codes.length;
    const stub = await startStub({
      onMessage: (received) => {
        const { socket, message } = received;
        const code = codes.shift();
        if (code !== undefined) {
          send(socket, { type: "error", ref: message.ref, data: { code, message: "not now" } });
        } else {
          answer(received);
          ack(received);
          send(socket, { type: "presence", data: { count: 1, members: [] } });
        }
      },
    });
    const { client, problems } = createClient(stub.url);
    cleanups.push(() => client.close());
    client.connect();
    const refused = new Promise<void>((resolve) => {
      let errors = 0;
      client.on("error", () => ++errors === all && resolve());
    });
    return { stub, client, problems, refused };
  }

  it("that is refused for now is asked for again", async () => {
    const { stub, client, problems } = await watch(["rate_limited", "failed"]);
    const known = nextEvent(client, "presence");
    client.subscribePresence(() => undefined);
    await known;
    expect(client.getPresence()).toEqual({ count: 1, members: [] });
    expect(stub.received.map(({ type }) => type)).toEqual(Array(3).fill("watch_presence"));
    expect(problems).toMatchObject([{ code: "rate_limited" }, { code: "failed" }]);
  });

  it.each([
    ["that is not allowed", "forbidden", false],
    ["that nobody wants any more", "failed", true],
  ])("%s is not asked for again", async (_case, code, leaves) => {
    const { client, refused } = await watch([code]);
    const leave = client.subscribePresence(() => undefined);
    await whenState(client, "connected");
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    cleanups.push(() => vi.useRealTimers());
    await refused;
    await new Promise((resolve) => setImmediate(resolve));
    if (leaves) {
      expect(vi.getTimerCount()).toBe(1);
      leave();
    }
    // The request to unwatch has one.
    expect(vi.getTimerCount()).toBe(leaves ? 1 : 0);
  });
});

/** Passes on to the backend what a client sends, and to the client nothing of type "ack". */
async function startSilencer(port: number) {
  const sockets = new Set<Socket>();
  const silencer = { url: "", cut: () => sockets.forEach((socket) => socket.destroy()), isSilent: true };
  const server = net.createServer((inner) => {
    const outer = net.connect(port, "127.0.0.1");
    inner.pipe(outer);
    outer.on("data", (bytes) => {
      if (!silencer.isSilent || !bytes.includes('"ack"')) inner.write(bytes);
    });
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  silencer.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws?user_id=ana`;
  cleanups.push(() => {
    silencer.cut();
    server.close();
  });
  return silencer;
}

it("with the real backend, a message whose answer was lost is carried out once", async () => {
  const backend = await Backend.start({ arguments: ["--no-deflate"] });
  cleanups.push(() => backend.stop());
  const silencer = await startSilencer(backend.port);
  const client = start(silencer.url);
  const witness = start(`${backend.webSocketUrl}?user_id=ben`);
  await Promise.all([client.room("blue").joined, witness.room("blue").joined]);
  const heard: string[] = [];
  witness.on("message", ({ text }) => heard.push(text));
  const carriedOut = nextEvent(witness, "message");
  const sent = client.send({ room: "blue", data: { text: "once" } });
  await carriedOut;
  silencer.isSilent = false;
  silencer.cut();
  expect(await sent).toBeNull();
  const end = nextEvent(witness, "message");
  await client.send({ room: "blue", data: { text: "end" } });
  await end;
  expect(heard).toEqual(["once", "end"]);
});
