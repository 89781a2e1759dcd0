/** What a client sends when it comes back, and how it handles the answer. */
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { Backend } from "./support/backend";
import { cleanups } from "./support/cleanups";
import { createClient, nextEvent } from "./support/client";
import { whenState } from "./support/states";
import {
  answer,
  notification,
  send,
  StubServer,
  welcome,
  type StubOptions,
} from "./support/stub-server";

/** Records its clients' queries; a client that comes back is `resumed` as the test chooses. */
async function startStub(
  resume: (socket: Parameters<typeof welcome>[0], after: string, count: number) => void,
  options: StubOptions = {},
) {
  const queries: URLSearchParams[] = [];
  const stub = await StubServer.start({
    onConnection: (socket, url, count) => {
      queries.push(url.searchParams);
      const after = url.searchParams.get("after");
      if (after === null) {
        welcome(socket);
      } else {
        resume(socket, after, count);
      }
    },
    ...options,
  });
  cleanups.push(() => stub.stop());
  const cut = () => stub.sockets.forEach((socket) => socket.terminate());
  return { stub, queries, cut };
}

function start(url: string, options: Parameters<typeof createClient>[1] = {}) {
  const test = createClient(url, options);
  const heard: string[] = [];
  test.client.on("notification", ({ message }) => heard.push(message));
  test.client.on("missed", ({ reason, rooms }) => heard.push(["missed", reason, ...rooms].join(" ")));
  cleanups.push(() => test.client.close());
  test.client.connect();
  return { ...test, heard };
}

function recovered(complete: boolean, id: string): object {
  return { type: "recovered", data: { complete, count: 0, id } };
}

describe("a client that comes back", () => {
  it("sends its position, its rooms and its former connection", async () => {
    const { stub, queries, cut } = await startStub((socket, after) => {
      welcome(socket, 0, after);
      send(socket, notification("e.8", "eight"));
      send(socket, recovered(true, "e.9"));
    });
    const { client, heard } = start(stub.url);
    await whenState(client, "connected");
    await client.room("blue & green").joined;
    await client.room("red").joined;
    const seven = nextEvent(client, "notification");
    stub.sockets.forEach((socket) => send(socket, notification("e.7", "seven")));
    await seven;
    const back = nextEvent(client, "recovered");
    cut();
    await back;
    expect(Object.fromEntries(queries[1] ?? [])).toEqual({
      after: "e.7",
      connection_id: "c",
      rooms: "blue & green,red",
    });
    expect(heard).toEqual(["seven", "eight"]);
    expect(client.lastEventId).toBe("e.9");
    // It is in these rooms without joining again.
    expect(stub.received.map(({ type }) => type)).toEqual(["join_room", "join_room"]);
  });

  it("has no position from events that a room kept, and receives them again", async () => {
    const { stub, queries, cut } = await startStub((socket, after) => {
      welcome(socket, 0, after);
      send(socket, recovered(true, after));
    });
    const { client, heard } = start(stub.url);
    await whenState(client, "connected");
    const end = new Promise<void>((resolve) => {
      client.on("notification", ({ message }) => {
        if (message === "end") resolve();
      });
    });
    for (const socket of stub.sockets) {
      send(socket, notification("e.7", "live"));
      send(socket, { ...notification("e.7", "state"), state: true });
      send(socket, { ...notification("e.8", "replayed"), replayed: true });
      // A live event is not lost because a kept one had its id.
      send(socket, notification("e.8", "eight"));
      send(socket, { ...notification("e.2", "old"), state: true });
      send(socket, notification("e.8", "a duplicate"));
      send(socket, { ...notification("e.1", "end"), state: true });
    }
    await end;
    expect(heard).toEqual(["live", "state", "replayed", "eight", "old", "end"]);
    expect(client.lastEventId).toBe("e.8");
    const back = nextEvent(client, "recovered");
    cut();
    await back;
    expect(queries[1]?.get("after")).toBe("e.8");
  });

  it("that is cut again sends the last complete connection and position", async () => {
    const { stub, queries, cut } = await startStub((socket, after, count) => {
      send(socket, {
        type: "welcome",
        data: { connection_id: `c${count}`, user_id: null, id: after, ping_interval_ms: 0 },
      });
      send(socket, notification(`e.${count}`, `event ${count}`));
      if (count > 3) send(socket, recovered(true, `e.${count}`));
    });
    const { client, heard } = start(stub.url);
    await whenState(client, "connected");
    for (const text of ["event 2", "event 3", "event 4", "event 5"]) {
      cut();
      await new Promise<void>((resolve) => {
        const stop = client.on("notification", ({ message }) => {
          if (message === text) {
            stop();
            resolve();
          }
        });
      });
    }
    expect(queries.map((query) => query.get("after"))).toEqual([null, "stub.0", "e.2", "e.3", "e.4"]);
    expect(queries.map((query) => query.get("connection_id"))).toEqual([null, "c", "c", "c", "c4"]);
    expect(heard).toEqual(["event 2", "event 3", "event 4", "event 5"]);
  });

  it("notifies its handlers when the server lacks the missed events", async () => {
    const { stub, cut } = await startStub((socket) => {
      welcome(socket, 0, "f.20");
      send(socket, recovered(false, "f.21"));
      send(socket, notification("f.22", "later"));
    });
    const { client, heard } = start(stub.url);
    await whenState(client, "connected");
    const later = nextEvent(client, "notification");
    cut();
    await later;
    expect(heard).toEqual(["missed history", "later"]);
  });

  it("notifies them also when it was cut before it learned that", async () => {
    const { stub, queries, cut } = await startStub((socket, after, count) => {
      welcome(socket, 0, count === 2 ? "f.20" : after);
      if (count > 2) send(socket, recovered(true, after));
    });
    const { client, heard } = start(stub.url);
    await whenState(client, "connected");
    let welcomed = nextEvent(client, "welcome");
    cut();
    await welcomed;
    welcomed = nextEvent(client, "welcome");
    const missed = nextEvent(client, "missed");
    cut();
    await welcomed;
    await missed;
    expect(queries[2]?.get("after")).toBe("f.20");
    expect(heard).toEqual(["missed history"]);
    // Reported once.
    const back = nextEvent(client, "recovered");
    cut();
    await back;
    expect(heard).toEqual(["missed history"]);
  });
});

it("a client that is closed by a handler of recovered asks for nothing until it connects again", async () => {
  const { stub, cut } = await startStub((socket, after) => {
    welcome(socket, 0, after);
    send(socket, recovered(false, "f.1"));
  });
  const { client, heard, problems } = start(stub.url);
  await client.room("blue", { state: true }).joined;
  const closed = new Promise<void>((resolve) => {
    const stop = client.on("recovered", () => {
      stop();
      client.close();
      // What is started from now on is counted.
      vi.useFakeTimers({ toFake: ["setTimeout"] });
      cleanups.push(() => vi.useRealTimers());
      resolve();
    });
  });
  cut();
  await closed;
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  expect(heard).toEqual(["missed history"]);
  const joined = nextEvent(client, "room_joined");
  client.connect();
  await joined;
  expect(stub.received).toMatchObject([{ state: true }, { state: true }]);
  expect(problems).toEqual([]);
});

describe("rooms", () => {
  it("that do not fit into the address are joined again, and reported as missed", async () => {
    const { stub, queries, cut } = await startStub((socket, after) => {
      welcome(socket, 0, after);
      send(socket, recovered(true, after));
    });
    const { client, heard } = start(stub.url);
    await whenState(client, "connected");
    const long = Array.from({ length: 60 }, (_, i) => `${"é".repeat(30)}${i}`);
    for (const room of ["a,b", ...long]) {
      await client.room(room).joined;
    }
    const missed = nextEvent(client, "missed");
    const back = nextEvent(client, "room_joined");
    cut();
    const { reason, rooms } = (await missed).data;
    await back;
    const resumed = queries[1]?.get("rooms")?.split(",") ?? [];
    expect(reason).toBe("rooms");
    expect(rooms).toContain("a,b");
    expect([...rooms, ...resumed].sort()).toEqual(["a,b", ...long].sort());
    expect(resumed.length).toBeGreaterThan(10);
    expect(`/ws?${String(queries[1])}`.length).toBeLessThan(4100);
    expect(heard).toHaveLength(1);
  });

  it("that the server refuses are reported, and not requested again", async () => {
    const { stub, queries, cut } = await startStub((socket, after) => {
      welcome(socket, 0, after);
      const data = { code: "forbidden", message: "not any more" };
      send(socket, { type: "error", ref: "blue", data });
      send(socket, recovered(true, after));
    });
    const { client, problems } = start(stub.url);
    await whenState(client, "connected");
    await client.room("blue").joined;
    for (let i = 0; i < 2; i++) {
      const back = nextEvent(client, "recovered");
      cut();
      await back;
    }
    expect(problems).toMatchObject([{ kind: "rejoin_failed", room: "blue", code: "forbidden" }]);
    expect(queries.map((query) => query.get("rooms"))).toEqual([null, "blue", null]);
  });

  it("can be joined and left while disconnected", async () => {
    const { stub, queries, cut } = await startStub(
      (socket, after) => {
        welcome(socket, 0, after);
        send(socket, recovered(true, after));
      },
      { onMessage: answer },
    );
    const { client } = start(stub.url, { firstDelayMs: 50 });
    await whenState(client, "connected");
    await client.room("blue").joined;
    const red = client.room("red");
    await red.joined;
    cut();
    await whenState(client, "reconnecting");
    await red.leave();
    const answers = await Promise.all([client.room("blue").joined, client.room("green").joined]);
    expect(answers.map(({ room }) => room)).toEqual(["blue", "green"]);
    expect(queries[1]?.get("rooms")).toBe("blue");
    // Another holder asks again, because it may want what the room keeps.
    expect(stub.received.map(({ room }) => room)).toEqual(["blue", "red", "blue", "green"]);
  });
});

/** Passes bytes on to a backend, until they are cut. */
async function startPassage(port: number) {
  const sockets = new Set<Socket>();
  const server = net.createServer((inner) => {
    const outer = net.connect(port, "127.0.0.1");
    for (const socket of [inner, outer]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        sockets.delete(socket);
        inner.destroy();
        outer.destroy();
      });
    }
    inner.pipe(outer).pipe(inner);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => sockets.forEach((socket) => socket.resetAndDestroy());
  cleanups.push(() => {
    cut();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`, cut };
}

describe("with the real backend", () => {
  it("no event is lost or repeated, however often the connection is cut", async () => {
    const backend = await Backend.start();
    cleanups.push(() => backend.stop());
    const passage = await startPassage(backend.port);
    const { client, heard, problems } = start(passage.url);
    await whenState(client, "connected");
    await client.room("blue").joined;
    const expected = Array.from({ length: 300 }, (_, i) => `n ${i}`);
    const all = new Promise<void>((resolve) => {
      client.on("notification", ({ message }) => {
        if (message === expected.at(-1)) resolve();
      });
    });
    for (const [i, message] of expected.entries()) {
      await backend.notify(message);
      if (i % 20 === 10) passage.cut();
    }
    await all;
    expect(heard).toEqual(expected);
    expect(problems).toEqual([]);
    expect(await backend.request("GET", "/ws/stats")).toMatchObject({ rooms: { blue: 1 } });
  });
});
