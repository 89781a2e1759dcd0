/** The client against the real backend. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import type { Order } from "../../src/lib/model";
import { WebSocketRequestError, type WebSocketEvent } from "../../src/lib/websocket/types";
import { Backend } from "../support/backend";
import { createClient, nextEvent, whenState, type TestClient } from "../support/client";

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
    expectTypeOf(created).toEqualTypeOf<WebSocketEvent<"order_created">>();
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
    const answer = await client.joinRoom("blue");
    expect(answer.room).toBe("blue");
    expect(await backend.request("GET", "/ws/stats")).toMatchObject({ rooms: { blue: 1 } });
    await client.leaveRoom("blue");
    expect(await backend.request("GET", "/ws/stats")).toMatchObject({ rooms: {} });
  });

  it("can be joined before there is a connection, also twice", async () => {
    const { client } = start();
    const answers = Promise.all([client.joinRoom("blue"), client.joinRoom("blue")]);
    client.connect();
    for (const answer of await answers) {
      expect(answer.room).toBe("blue");
    }
  });

  it("that the server refuses are reported with its code", async () => {
    const { client } = await startConnected();
    const failure = await client.joinRoom("x".repeat(200)).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WebSocketRequestError);
    expect(failure).toMatchObject({ code: "bad_request" });
  });

  it("confine messages to their members", async () => {
    const member = await startConnected("?user_id=ana");
    const outsider = await startConnected();
    await member.client.joinRoom("blue");
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
    await client.joinRoom("blue");
    await client.joinRoom("green");
    await client.leaveRoom("green");
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
    await client.joinRoom("blue");
    const { port } = backend;
    await backend.stop("SIGKILL");
    await whenState(client, "reconnecting");
    const outcomes = ["one", "two", "three"].map((text) =>
      client.send({ type: "message", room: "blue", data: { text } }),
    );
    expect(await outcomes[2]).toMatchObject({ status: "dropped", reason: "queue_full" });

    const heard: string[] = [];
    const second = new Promise<void>((resolve) => {
      client.on("message", ({ text }) => {
        heard.push(text);
        if (text === "two") resolve();
      });
    });
    backend = await Backend.start({ port });
    expect(await outcomes[0]).toMatchObject({ status: "sent" });
    expect(await outcomes[1]).toMatchObject({ status: "sent" });
    await second;
    expect(heard).toEqual(["one", "two"]);
  });
});

describe("a message that the server refuses", () => {
  it("is reported by an error with its ref", async () => {
    const { client } = await startConnected();
    const error = nextEvent(client, "error");
    const outcome = await client.send({ type: "message", room: "other", data: { text: "x" } });
    expect(await error).toMatchObject({ ref: outcome.ref, data: { code: "not_member" } });
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
    const answer = await second.client.joinRoom("blue");
    expect(second.client.lastEventId).toBe(answer.id);
  });

  it("is updated by the pings of a quiet client", async () => {
    await backend.stop();
    backend = await Backend.start({ arguments: ["--ping-interval", "1"] });
    const quiet = await startConnected();
    const member = await startConnected();
    await member.client.joinRoom("blue");
    const message = nextEvent(member.client, "message");
    await member.client.send({ type: "message", room: "blue", data: { text: "not for all" } });
    const { id } = await message;
    await nextEvent(quiet.client, "pong");
    expect(quiet.client.lastEventId).toBe(id);
  });
});
