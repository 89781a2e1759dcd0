/** The client against a server that fails in ways that the real one does not. */
import { describe, expect, it, vi } from "vitest";
import WebSocket from "ws";
import {
  answer,
  notification,
  send,
  welcome,
} from "./support/stub-server";
import { cleanups, startStub } from "./support/cleanups";
import { createClient, nextEvent } from "./support/client";
import { createSignals, whenState } from "./support/states";

/** Longer than any test: an attempt before that is not caused by this delay. */
const FOREVER_MS = 2 ** 31 - 1;

function start(url: string, options: Parameters<typeof createClient>[1] = {}) {
  const test = createClient(url, options);
  cleanups.push(() => test.client.close());
  test.client.connect();
  return test;
}

describe("a refusal", () => {
  it.each([1008, 4401, 4403])("with %i ends the attempts, and the state has the reason", async (code) => {
    const stub = await startStub({ onConnection: (socket) => socket.close(code, "not you") });
    const signals = createSignals();
    const { client } = start(stub.url, { signals });
    const join = client.room("blue").joined.catch((error: unknown) => error);
    const answer = client.send({ data: null }).catch((error: unknown) => error);

    expect(await whenState(client, "refused")).toEqual({
      status: "refused",
      code,
      reason: "not you",
    });
    expect(await join).toMatchObject({ code: "refused" });
    expect(await answer).toMatchObject({ code: "refused" });
    await expect(client.send({ data: null })).rejects.toMatchObject({ code: "refused" });
    await expect(client.room("green").joined).rejects.toMatchObject({ code: "refused" });

    signals.wake();
    const other = start(stub.url);
    await whenState(other.client, "refused");
    expect(stub.connections).toBe(2);
  });

  it("ends with connect(), which a user may request", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) =>
        count === 1 ? socket.close(4401, "expired") : welcome(socket),
    });
    const { client } = start(stub.url);
    await whenState(client, "refused");
    client.retryNow();
    await whenState(client, "connected");
  });
});

describe("a loss", () => {
  // 1008 also: a client that was too fast after a while is not so at once.
  it.each([1000, 1008, 1011, 1012, 1013])("with %i is followed by another attempt", async (code) => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => {
        welcome(socket);
        if (count === 1) socket.close(code);
      },
    });
    const { client } = start(stub.url, { stableAfterMs: 0 });
    await whenState(client, "reconnecting");
    await whenState(client, "connected");
    expect(stub.connections).toBe(2);
  });

  it("doubles the delay as long as no connection lasts", async () => {
    const stub = await startStub({
      onConnection: (socket) => {
        welcome(socket);
        socket.close(1013);
      },
    });
    const { client } = start(stub.url, { firstDelayMs: 2, longestDelayMs: 8, random: () => 1 });
    // The clock stands still, so that it does not advance between two reads.
    const clock = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(clock);
    const delays: number[] = [];
    client.subscribe(() => {
      const state = client.getState();
      if (state.status === "reconnecting" && state.retryAt !== null) {
        delays.push(state.retryAt - clock);
      }
    });
    await whenState(client, "reconnecting", ({ attempt }) => attempt === 5);
    expect(delays).toEqual([2, 4, 8, 8, 8]);
  });

  it("is followed by an attempt when the server asks for it", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => {
        welcome(socket);
        if (count === 1) socket.close(1012, "restart; retry in 7 ms");
      },
    });
    const { client } = start(stub.url, { firstDelayMs: FOREVER_MS, longestDelayMs: FOREVER_MS, random: () => 1 });
    const clock = Date.now();
    vi.spyOn(Date, "now").mockReturnValue(clock);
    await whenState(client, "reconnecting", ({ retryAt }) => retryAt === clock + 7);
    await whenState(client, "connected");
  });

  it("is followed by one attempt, also after close() and connect() at once", async () => {
    const stub = await startStub();
    const { client } = start(stub.url, { firstDelayMs: FOREVER_MS, longestDelayMs: FOREVER_MS, random: () => 1 });
    client.close();
    client.connect();
    await whenState(client, "connected");
    stub.sockets.forEach((socket) => socket.terminate());
    await whenState(client, "reconnecting");
    // An attempt before the delay would come before these.
    for (let i = 0; i < 3; i++) {
      await whenState(start(stub.url).client, "connected");
    }
    expect(stub.connections).toBe(4);
  });

  it("starts again with the first delay after a connection that lasted", async () => {
    const stub = await startStub();
    const { client } = start(stub.url, { stableAfterMs: 0 });
    for (let i = 0; i < 3; i++) {
      await whenState(client, "connected");
      stub.sockets.forEach((socket) => socket.terminate());
      expect(await whenState(client, "reconnecting")).toMatchObject({ attempt: 1 });
    }
  });
});

describe("an attempt", () => {
  it("that the constructor of sockets prevents is reported, and followed by another", async () => {
    const stub = await startStub();
    let made = 0;
    class Socket extends WebSocket {
      constructor(url: string) {
        if (++made === 1) throw new Error("not on this page");
        super(url);
      }
    }
    const { client, problems } = start(stub.url, { WebSocket: Socket });
    await whenState(client, "connected");
    const message = "cannot make a WebSocket: Error: not on this page";
    expect(problems).toMatchObject([{ kind: "connect_failed", message }]);
  });

  it("ends if a listener closes the client as it begins", async () => {
    const stub = await startStub();
    let asked = 0;
    const { client } = createClient(stub.url, { token: () => `t${++asked}` });
    client.subscribe(() => client.close());
    client.connect();
    expect(client.getState().status).toBe("closed");
    // An attempt would come before this one.
    await whenState(start(stub.url).client, "connected");
    expect(asked).toBe(0);
    expect(stub.connections).toBe(1);
  });
});

describe("a dead connection", () => {
  it("is detected by an unanswered ping", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => welcome(socket, count === 1 ? 0.001 : 0),
      onMessage: () => undefined,
    });
    const { client } = start(stub.url, { pongTimeoutMs: 20 });
    await whenState(client, "connected");
    await whenState(client, "reconnecting");
    await whenState(client, "connected");
    expect(stub.received[0]).toEqual({ type: "ping" });
    expect(stub.connections).toBe(2);
  });

  it("is distinguished from a quiet one", async () => {
    let pings = 0;
    let enough: () => void = () => undefined;
    const manyPings = new Promise<void>((resolve) => (enough = resolve));
    const stub = await startStub({
      onConnection: (socket) => welcome(socket, 100),
      onMessage: (received) => {
        answer({ ...received, message: { ...received.message, room: "" } });
        if (++pings === 5) enough();
      },
    });
    start(stub.url, { pongTimeoutMs: 20_000 });
    await manyPings;
    expect(stub.connections).toBe(1);
  });

  it("is detected at once when the page becomes visible", async () => {
    const signals = createSignals();
    const stub = await startStub({
      onConnection: (socket) => welcome(socket, FOREVER_MS),
      onMessage: () => undefined,
    });
    const { client } = start(stub.url, { signals, pongTimeoutMs: 5 });
    await whenState(client, "connected");
    signals.wake();
    await whenState(client, "reconnecting");
  });

  it("is also one without a welcome", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => count > 1 && welcome(socket),
    });
    const { client } = start(stub.url, { connectTimeoutMs: 20 });
    await whenState(client, "connected");
    expect(stub.connections).toBeGreaterThan(1);
  });
});

describe("the browser's signals", () => {
  const patient = { firstDelayMs: FOREVER_MS, longestDelayMs: FOREVER_MS, random: () => 1 };

  it("end the delay", async () => {
    const stub = await startStub();
    const signals = createSignals();
    const { client } = start(stub.url, { signals, ...patient });
    await whenState(client, "connected");
    stub.sockets.forEach((socket) => socket.terminate());
    await whenState(client, "reconnecting");
    signals.wake();
    await whenState(client, "connected");
  });

  it("of a page that is frozen end the connection, until it runs again", async () => {
    const stub = await startStub();
    const signals = createSignals();
    const { client } = start(stub.url, { signals, ...patient });
    await whenState(client, "connected");
    const [socket] = stub.sockets;
    const ended = new Promise((resolve) => socket?.once("close", resolve));
    signals.sleep();
    expect(client.getState()).toMatchObject({ status: "reconnecting", retryAt: null });
    await ended;
    expect(stub.connections).toBe(1);
    signals.wake();
    await whenState(client, "connected");
    expect(stub.connections).toBe(2);
  });

  it("distinguish offline from reconnecting", async () => {
    const stub = await startStub();
    const signals = createSignals();
    const { client } = start(stub.url, { signals, ...patient });
    await whenState(client, "connected");
    stub.sockets.forEach((socket) => socket.terminate());
    await whenState(client, "reconnecting");
    signals.offline();
    expect(client.getState()).toMatchObject({ status: "offline", attempt: 1 });
    signals.wake();
    await whenState(client, "connected");
  });
});

describe("events", () => {
  it("that arrive twice are delivered once, also after a reconnect", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => {
        welcome(socket);
        send(socket, notification("e.1", "one"));
        send(socket, notification("e.1", "one"));
        if (count === 1) {
          socket.close(1012);
        } else {
          send(socket, notification("e.2", "two"));
        }
      },
    });
    const heard: string[] = [];
    const { client } = start(stub.url);
    client.on("notification", ({ message }) => heard.push(message));
    const second = new Promise<void>((resolve) => {
      client.on("notification", ({ message }) => {
        if (message === "two") resolve();
      });
    });
    await second;
    expect(heard).toEqual(["one", "two"]);
  });

  it("that are invalid are reported, and the next one is delivered", async () => {
    const stub = await startStub({
      onConnection: (socket) => {
        welcome(socket);
        send(socket, "{");
        send(socket, "[]");
        send(socket, { type: "order_created", data: { id: "seven" } });
        send(socket, { type: "notification", data: { message: "m", severity: "loud" } });
        send(socket, { type: "invented", data: {} });
        socket.send(Buffer.from("{}"), { binary: true });
        send(socket, notification("e.1", "good"));
      },
    });
    const { client, problems } = start(stub.url);
    const event = await nextEvent(client, "notification");
    expect(event.data.message).toBe("good");
    expect(problems.map(({ kind }) => kind)).toEqual([
      "bad_message",
      "bad_message",
      "bad_message",
      "bad_message",
      "unknown_type",
      "bad_message",
    ]);
    expect(problems[2]?.message).toContain("order_created: id");
  });

  it("reach the other handlers when one of them fails", async () => {
    const stub = await startStub();
    const { client, problems } = start(stub.url);
    await whenState(client, "connected");
    client.on("notification", () => {
      throw new Error("oops");
    });
    const heard = nextEvent(client, "notification");
    stub.sockets.forEach((socket) => send(socket, notification("e.1", "one")));
    await heard;
    expect(problems).toMatchObject([{ kind: "handler_failed", message: "a handler failed: Error: oops" }]);
  });
});

describe("a listener that fails", () => {
  it("changes nothing for the others, nor does a failure to report it", async () => {
    const stub = await startStub();
    const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { client } = createClient(stub.url, {
      onProblem: () => {
        throw new Error("no report either");
      },
    });
    cleanups.push(() => client.close());
    client.subscribe(() => {
      throw new Error("oops");
    });
    const heard: string[] = [];
    client.subscribe(() => heard.push(client.getState().status));
    client.connect();
    await whenState(client, "connected");
    expect(heard).toEqual(["connecting", "connected"]);
    expect(logged).toHaveBeenCalledTimes(2);
  });
});

describe("requests", () => {
  it("are rejected when the answer is late", async () => {
    const stub = await startStub({ onMessage: () => undefined });
    const { client } = start(stub.url, { answerTimeoutMs: 10 });
    await whenState(client, "connected");
    await expect(client.room("blue").joined).rejects.toMatchObject({ code: "timeout" });
  });

  it("to join outlive the connection", async () => {
    const stub = await startStub({
      onMessage: (received) => {
        if (stub.connections === 1) {
          received.socket.terminate();
        } else {
          answer(received);
        }
      },
    });
    const { client } = start(stub.url);
    await whenState(client, "connected");
    expect((await client.room("blue").joined).room).toBe("blue");
    expect(stub.connections).toBe(2);
  });

  it("and waiting messages end with close()", async () => {
    const stub = await startStub();
    const { client } = createClient(stub.url);
    const join = client.room("blue").joined;
    const answered = client.send({ data: null });
    client.close();
    await expect(join).rejects.toMatchObject({ code: "closed" });
    await expect(answered).rejects.toMatchObject({ code: "closed" });
  });
});

describe("the token", () => {
  it("is requested before each attempt", async () => {
    const tokens: (string | null)[] = [];
    const stub = await startStub({
      onConnection: (socket, url, count) => {
        tokens.push(url.searchParams.get("token"));
        welcome(socket);
        if (count === 1) socket.close(1012);
      },
    });
    let asked = 0;
    const { client } = start(stub.url, { token: () => Promise.resolve(`t${++asked}`) });
    await whenState(client, "reconnecting");
    await whenState(client, "connected");
    expect(tokens).toEqual(["t1", "t2"]);
  });

  it("that is not available is reported and requested again", async () => {
    const stub = await startStub();
    let asked = 0;
    const { client, problems } = start(stub.url, {
      token: () => {
        if (++asked < 3) throw new Error("no token today");
        return "t";
      },
    });
    await whenState(client, "connected");
    expect(problems.map(({ kind }) => kind)).toEqual(["token_failed", "token_failed"]);
  });

  it("that never comes does not stop the attempts", async () => {
    const stub = await startStub();
    let asked = 0;
    const { client } = start(stub.url, {
      connectTimeoutMs: 20,
      token: () => (++asked === 1 ? new Promise<string>(() => undefined) : "t"),
    });
    await whenState(client, "connected");
    expect(asked).toBeGreaterThan(1);
  });

  it("that comes late is not taken for that of the connection that did not wait for it", async () => {
    const stub = await startStub();
    let asked = 0;
    let next = "in time";
    let giveLate: (token: string) => void = () => undefined;
    const { client } = start(stub.url, {
      connectTimeoutMs: 20,
      token: () => (++asked === 1 ? new Promise<string>((resolve) => (giveLate = resolve)) : next),
    });
    await whenState(client, "connected");
    next = "late";
    giveLate(next);
    await client.room("blue").joined;
    // The token that this refuses is "in time", so the other one is tried.
    stub.sockets.forEach((socket) => socket.close(4401, "expired"));
    await whenState(client, "reconnecting");
    await whenState(client, "connected");
  });

  it("that was refused is requested again, and a newer one is accepted", async () => {
    const stub = await startStub({
      onConnection: (socket, url) =>
        url.searchParams.get("token") === "new" ? welcome(socket) : socket.close(4401, "expired"),
    });
    const tokens = ["old", "new"];
    const { client } = start(stub.url, { token: () => tokens.shift() ?? "new" });
    await whenState(client, "connected");
    expect(stub.connections).toBe(2);
  });

  it("that is newer than the refused one is used again after a loss", async () => {
    const stub = await startStub({
      onConnection: (socket, _url, count) => {
        if (count === 1) socket.close(4401, "expired");
        else if (count === 2) socket.terminate();
        else welcome(socket);
      },
    });
    const tokens = ["old"];
    const { client } = start(stub.url, { token: () => tokens.shift() ?? "new" });
    await whenState(client, "connected");
    expect(stub.connections).toBe(3);
  });

  it.each([
    ["is the same", () => "old", 1],
    ["is another that is refused, too", (asked: number) => `t${asked}`, 2],
  ])("that was refused ends the attempts if the next one %s", async (_case, make, connections) => {
    const stub = await startStub({ onConnection: (socket) => socket.close(4401, "expired") });
    let asked = 0;
    const { client } = start(stub.url, { token: () => make(++asked) });
    expect(await whenState(client, "refused")).toMatchObject({ code: 4401, reason: "expired" });
    expect(asked).toBe(2);
    expect(stub.connections).toBe(connections);
    // On request it is tried once more.
    const connected = stub.connections;
    client.retryNow();
    await whenState(client, "reconnecting");
    await whenState(client, "refused");
    expect(stub.connections).toBe(connected + connections);
  });

  describe("that expires", () => {
    const expiring = (inMs: number) => {
      const exp = (Date.now() + inMs) / 1000;
      return `h.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.s`;
    };

    it("is renewed on the open connection before it does", async () => {
      let renewed: (token: unknown) => void = () => undefined;
      const renewal = new Promise((resolve) => (renewed = resolve));
      const stub = await startStub({
        onMessage: ({ socket, message }) => {
          send(socket, { type: "authenticated", ref: message.ref, data: { id: "stub.7" } });
          renewed(message);
        },
      });
      let newer = "";
      const { client } = start(stub.url, {
        token: () =>
          stub.connections === 0 ? expiring(2000) : (newer = expiring(60_000)),
      });
      await whenState(client, "connected");
      expect(await renewal).toMatchObject({ type: "authenticate", token: newer });
      await nextEvent(client, "authenticated");
      expect(client.lastEventId).toBe("stub.7");
      expect(stub.connections).toBe(1);
    });

    it("is left to the server if that renews none", async () => {
      const stub = await startStub({
        onMessage: ({ socket, message }) => {
          const data = { code: "unknown_type", message: "there is no renewal" };
          send(socket, { type: "error", ref: message.ref, data });
        },
      });
      let asked = 0;
      const { client, problems } = start(stub.url, { token: () => expiring(2000 + ++asked) });
      await whenState(client, "connected");
      await nextEvent(client, "error");
      expect(problems).toEqual([]);
      expect(client.getState().status).toBe("connected");
    });
  });
});
