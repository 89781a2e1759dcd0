/** The client against the real backend. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import type { Order, TestedClient, TestEvents } from "./support/events";
import { WebSocketRequestError, type Presence, type WebSocketEvent } from "../src/index";
import { Backend } from "./support/backend";
import { createClient, nextEvent, type TestClient } from "./support/client";
import { whenState } from "./support/states";

let backend: Backend;
let started: TestClient[] = [];

function start(query = "", options: Parameters<typeof createClient>[1] = {}): TestClient {
  const test = createClient(backend.webSocketUrl + query, options);
  started.push(test);
  return test;
}

async function startConnected(...parameters: Parameters<typeof start>): Promise<TestClient> {
  const test = start(...parameters);
  test.client.connect();
  await whenState(test.client, "connected");
  return test;
}

beforeEach(async () => {
  backend = await Backend.start();
});

afterEach(async () => {
  for (const { client, problems } of started) {
    client.close();
    expect(problems).toEqual([]);
  }
  started = [];
  await backend.stop();
});

describe("connecting", () => {
  it("goes from closed to connecting to connected", async () => {
    const { client } = start("?user_id=ana");
    const states = [client.getState().status];
    client.subscribe(() => states.push(client.getState().status));
    client.connect();
    const state = await whenState(client, "connected");
    expect(states).toEqual(["closed", "connecting", "connected"]);
    expect(state.userId).toBe("ana");
    expect(state.connectionId).not.toBe("");
  });

  it("connects again after close()", async () => {
    const { client } = await startConnected();
    client.close();
    expect(client.getState()).toEqual({ status: "closed" });
    client.connect();
    await whenState(client, "connected");
  });

  it("connects once after close() and connect() at once, as in React's strict mode", async () => {
    const { client } = start();
    client.connect();
    client.close();
    client.connect();
    await whenState(client, "connected");
    expect(await backend.request("GET", "/ws/stats")).toMatchObject({ connections_opened: 1 });
  });
});

describe("events", () => {
  it("are delivered typed and with their envelope", async () => {
    const { client } = await startConnected();
    const event = nextEvent(client, "order_created");
    const order = await backend.order();
    const created = await event;
    expectTypeOf(created).toEqualTypeOf<WebSocketEvent<TestEvents, "order_created">>();
    expectTypeOf(created.data).toEqualTypeOf<Order>();
    expect(created.data.id).toBe(order.id);
    expect(created).toMatchObject({ type: "order_created", userId: null, room: null, ref: null });
    expect(created.timestamp).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(client.lastEventId).not.toBeNull();
  });

  it("are not delivered to a removed handler", async () => {
    const { client } = await startConnected();
    const heard: string[] = [];
    const stop = client.on("notification", ({ message }) => heard.push(`removed: ${message}`));
    client.on("notification", ({ message }) => heard.push(message));
    stop();
    const arrival = nextEvent(client, "notification");
    await backend.notify("hello");
    await arrival;
    expect(heard).toEqual(["hello"]);
  });
});

describe("rooms", () => {
  it("are joined and left with the server's answer", async () => {
    const { client } = await startConnected();
    const blue = client.room("blue");
    expect((await blue.joined).room).toBe("blue");
    expect(await backend.request("GET", "/ws/stats")).toMatchObject({ rooms: { blue: 1 } });
    await blue.leave();
    expect(await backend.request("GET", "/ws/stats")).toMatchObject({ rooms: {} });
  });

  it("can be joined before there is a connection, also twice", async () => {
    const { client } = start();
    const answers = Promise.all([client.room("blue").joined, client.room("blue").joined]);
    client.connect();
    for (const answer of await answers) {
      expect(answer.room).toBe("blue");
    }
  });

  it("that the server refuses are reported with its code", async () => {
    const { client } = await startConnected();
    const failure = await client.room("x".repeat(200)).joined.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WebSocketRequestError);
    expect(failure).toMatchObject({ code: "bad_request" });
  });

  it("confine messages to their members", async () => {
    const member = await startConnected("?user_id=ana");
    const outsider = await startConnected();
    await member.client.room("blue").joined;
    const outsiderHeard: string[] = [];
    outsider.client.on("message", ({ text }) => outsiderHeard.push(text));
    const message = nextEvent(member.client, "message");
    const end = nextEvent(outsider.client, "notification");
    await member.client.send({ type: "message", room: "blue", data: { text: "hello" } });
    expect(await message).toMatchObject({ data: { text: "hello" }, room: "blue", userId: "ana" });
    await backend.notify("after the message");
    await end;
    expect(outsiderHeard).toEqual([]);
  });
});

describe("a restart of the backend", () => {
  it("is followed by a connection in the same rooms", async () => {
    const { client } = await startConnected();
    await client.room("blue").joined;
    const green = client.room("green");
    await green.joined;
    await green.leave();
    const { port } = backend;
    await backend.stop("SIGKILL");
    await whenState(client, "reconnecting");
    const missed = nextEvent(client, "missed");
    backend = await Backend.start({ port });
    await whenState(client, "connected");
    expect((await missed).data).toEqual({ reason: "history", rooms: [] });
    expect(await backend.request("GET", "/ws/stats")).toMatchObject({ rooms: { blue: 1 } });
    const order = nextEvent(client, "order_created");
    await backend.order();
    await order;
  });

  it("loses no message that was sent meanwhile, up to the bound, and reports the others", async () => {
    const { client } = await startConnected("", { queueBound: 2 });
    await client.room("blue").joined;
    const { port } = backend;
    await backend.stop("SIGKILL");
    await whenState(client, "reconnecting");
    const outcomes = ["one", "two", "three"].map((text) =>
      client.send({ type: "message", room: "blue", data: { text } }),
    );
    await expect(outcomes[2]).rejects.toMatchObject({ code: "queue_full" });

    const heard: string[] = [];
    const second = new Promise<void>((resolve) => {
      client.on("message", ({ text }) => {
        heard.push(text);
        if (text === "two") resolve();
      });
    });
    backend = await Backend.start({ port });
    expect(await Promise.all(outcomes.slice(0, 2))).toEqual([null, null]);
    await second;
    expect(heard).toEqual(["one", "two"]);
  });
});

describe("answers", () => {
  it("to a message are what the application answers, or its error", async () => {
    const { client } = await startConnected();
    const blue = client.room("blue");
    expect(await blue.send({ text: "hello" })).toBeNull();
    await expect(client.send({ room: "other", data: { text: "x" } })).rejects.toMatchObject({
      name: "WebSocketRequestError",
      code: "not_member",
    });
  });

  it("to a request are the method's", async () => {
    const { client } = await startConnected();
    expect(await client.request("echo", { a: [1, "ü"] })).toEqual({ a: [1, "ü"] });
    await expect(client.request("none")).rejects.toMatchObject({ code: "unknown_method" });
  });
});

describe("presence", () => {
  const names = (room: { getPresence: () => Presence | null }) =>
    room.getPresence()?.members?.map(({ user_id, state }) => [user_id, state]);

  it("has the users of the room, and what they have set", async () => {
    const ana = await startConnected("?user_id=ana");
    const ben = await startConnected("?user_id=ben");
    const room = ana.client.room("blue", { presence: true });
    const changed = () =>
      new Promise<void>((resolve) => {
        const stop = room.subscribePresence(() => {
          stop();
          resolve();
        });
      });
    expect(room.getPresence()).toBeNull();
    while (names(room)?.length !== 1) await changed();
    const bens = ben.client.room("blue", { presence: true });
    while (names(room)?.length !== 2) await changed();
    await bens.setState({ typing: true });
    while (names(room)?.[1]?.[1] === null) await changed();
    expect(names(room)).toEqual([["ana", null], ["ben", { typing: true }]]);
    await bens.leave();
    while (names(room)?.length !== 1) await changed();
    expect(room.getPresence()).toEqual({
      count: 1,
      members: [{ user_id: "ana", connections: 1, state: null }],
    });
    ana.client.close();
    expect(room.getPresence()).toBeNull();
  });
});

describe("the presence of the service", () => {
  const names = (client: TestedClient) =>
    client.getPresence()?.members?.map(({ user_id }) => user_id).sort();
  const changed = (client: TestedClient, wanted: string[] | undefined) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (JSON.stringify(names(client)) === JSON.stringify(wanted)) {
          stop();
          resolve();
        }
      };
      const stop = client.subscribePresence(check);
      check();
    });

  it("has all users, while somebody subscribes, also after a reconnect", async () => {
    const ana = await startConnected("?user_id=ana");
    expect(ana.client.getPresence()).toBeNull();
    const stop = ana.client.subscribePresence(() => undefined);
    await changed(ana.client, ["ana"]);
    await startConnected("?user_id=ben");
    await changed(ana.client, ["ana", "ben"]);
    await ana.client.setPresenceState("busy");
    const state = () => ana.client.getPresence()?.members?.find(({ user_id }) => user_id === "ana")?.state;
    await new Promise<void>((resolve) => {
      const done = ana.client.subscribePresence(() => {
        if (state() === "busy") {
          done();
          resolve();
        }
      });
    });

    const { port } = backend;
    await backend.stop("SIGKILL");
    await changed(ana.client, undefined);
    backend = await Backend.start({ port });
    await changed(ana.client, ["ana", "ben"]);
    stop();
    stop();
    expect(ana.client.getPresence()).toBeNull();
    await ana.client.request("echo"); // the server has stopped to tell, too
    expect(ana.client.getPresence()).toBeNull();
  });
});

describe("a room that keeps its last values", () => {
  it("sends them first, on entering and after missed events", async () => {
    const kept = ["--topic-rooms", "--history", "2"];
    await backend.stop();
    backend = await Backend.start({ arguments: kept });
    const { port } = backend;
    await backend.order();
    const { client } = await startConnected();
    const heard: string[] = [];
    const room = client.room("orders", { state: true });
    room.on("order_created", ({ id }, { isKept, key }) => heard.push(`${id} ${String(key)} ${String(isKept)}`));
    let next = nextEvent(client, "order_created");
    expect((await room.joined).state).toBe(1);
    await next; // what is kept follows the answer
    next = nextEvent(client, "order_created");
    await backend.order();
    await next;
    expect(heard).toEqual(["1 1 true", "2 2 false"]);

    await backend.stop("SIGKILL");
    await whenState(client, "reconnecting");
    const missed = nextEvent(client, "missed");
    backend = await Backend.start({ port, arguments: kept });
    await missed;
    next = nextEvent(client, "order_created");
    await backend.order();
    await next;
    expect(heard.slice(2)).toEqual(["1 1 false"]);
  });
});

describe("the last event's id", () => {
  it("comes from welcome, events and room_joined", async () => {
    const first = await startConnected();
    const welcomed = first.client.lastEventId;
    expect(welcomed).not.toBeNull();
    const event = nextEvent(first.client, "notification");
    await backend.notify("one");
    const { id } = await event;
    expect(first.client.lastEventId).toBe(id);
    expect(first.client.lastEventId).not.toBe(welcomed);
    const second = await startConnected();
    expect(second.client.lastEventId).toBe(first.client.lastEventId);
    const answer = await second.client.room("blue").joined;
    expect(second.client.lastEventId).toBe(answer.id);
  });

  it("is updated by the pings of a quiet client", async () => {
    await backend.stop();
    backend = await Backend.start({ arguments: ["--ping-interval", "1"] });
    const quiet = await startConnected();
    const member = await startConnected();
    await member.client.room("blue").joined;
    const message = nextEvent(member.client, "message");
    await member.client.send({ type: "message", room: "blue", data: { text: "not for all" } });
    const { id } = await message;
    await nextEvent(quiet.client, "pong");
    expect(quiet.client.lastEventId).toBe(id);
  });
});
