/** The client's modules that need no connection, and its types. */
import * as v from "valibot";
import { describe, expect, expectTypeOf, it, vi } from "vitest";
import WebSocket from "ws";
import { askedDelay, fullJitterDelay } from "../src/backoff";
import { absoluteUrl, tuningOf } from "../src/options";
import { RecentIds } from "../src/recent-ids";
import { expiryOf } from "../src/tokens";
import { WebSocketClient } from "../src/index";
import { schemas } from "./support/events";

describe("the delay before an attempt", () => {
  const options = { firstCeilingMs: 1000, longestCeilingMs: 30_000 };

  it("has a ceiling that doubles up to the longest", () => {
    const ceilings = [1, 2, 3, 4, 5, 6, 7, 5000].map((attempt) =>
      fullJitterDelay(attempt, { ...options, random: () => 1 }),
    );
    expect(ceilings).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("is any value from 0 to the ceiling", () => {
    expect(fullJitterDelay(4, { ...options, random: () => 0 })).toBe(0);
    expect(fullJitterDelay(4, { ...options, random: () => 0.25 })).toBe(2000);
  });
});

describe("the delay that a server asks for", () => {
  it.each([
    [1012, "retry in 250 ms", 250],
    [1012, "the server restarts; retry in 0 ms", 0],
    [1012, "retry in 99999999999999999999 ms", 30_000],
    [1012, "retry in 250 ms, please", null],
    [1012, "retry in -1 ms", null],
    [1012, "", null],
    [1013, "retry in 250 ms", null],
  ])("with %i %j is %j", (code, reason, delay) => {
    expect(askedDelay(code, reason, 30_000)).toBe(delay);
  });
});

describe("recent ids", () => {
  it("are remembered up to the bound", () => {
    const ids = new RecentIds(2);
    expect(["a", "a", "b", "c", "b", "a"].map((id) => ids.add(id))).toEqual([
      true, false, true, true, false, true,
    ]);
  });
});

describe("types", () => {
  const options = { url: "ws://localhost/ws", schemas: schemas, WebSocket };

  it("cover the events", () => {
    const client = new WebSocketClient(options);
    const ignore = vi.fn<(value: unknown) => void>();
    client.on("stock_low", (item) => ignore(item.low_stock_threshold));
    client.on("message", (message) => ignore(message.text.length));
    // @ts-expect-error: there is no such type of event
    client.on("order_creatd", ignore);
    // @ts-expect-error: the data of this type has no such field
    client.on("notification", (data) => ignore(data.total_cents));
    client.close();
  });

  it("of events are those of their schemas", () => {
    const client = new WebSocketClient({
      ...options,
      schemas: { price_changed: v.object({ cents: v.number() }) },
    });
    client.on("price_changed", (price) => expectTypeOf(price).toEqualTypeOf<{ cents: number }>());
    client.on("pong", ({ id }) => expectTypeOf(id).toEqualTypeOf<string>());
    // @ts-expect-error: there is no such type of event
    client.on("price_changd", () => undefined);
    client.close();
  });

  it("require a schema for each event", () => {
    interface Events {
      price_changed: { cents: number };
    }
    // @ts-expect-error: the schema of price_changed is needed
    const client = new WebSocketClient<Events>({ ...options, schemas: {} });
    expect(client.getState()).toEqual({ status: "closed" });
  });
});

describe("options", () => {
  it("that are undefined have their defaults", () => {
    expect(tuningOf({ queueBound: undefined, firstDelayMs: undefined })).toMatchObject({
      queueBound: 100,
      firstDelayMs: 1000,
    });
  });

  it("that no timer can keep are bounded", () => {
    const { answerTimeoutMs, longestDelayMs, pongTimeoutMs } = tuningOf({
      answerTimeoutMs: 1e12,
      longestDelayMs: -5,
      pongTimeoutMs: Number.NaN,
    });
    expect([answerTimeoutMs, longestDelayMs, pongTimeoutMs]).toEqual([2 ** 31 - 1, 0, 2 ** 31 - 1]);
  });

  it("need a constructor of WebSockets, where there is none", () => {
    vi.stubGlobal("WebSocket", undefined);
    try {
      expect(() => new WebSocketClient({ url: "ws://localhost/ws", schemas })).toThrow(TypeError);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it("may have an address of any scheme, or relative to the page", () => {
    expect(absoluteUrl("https://example.com/ws?user_id=ana#top").href).toBe("wss://example.com/ws?user_id=ana");
    expect(() => absoluteUrl("/ws")).toThrow(TypeError);
    vi.stubGlobal("location", { href: "http://localhost:8080/page?x=1#y" });
    try {
      expect(absoluteUrl("/ws").href).toBe("ws://localhost:8080/ws");
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe("the expiry of a token", () => {
  const token = (claims: unknown) => `h.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.s`;

  it.each([
    [token({ exp: 1_700_000_000, name: "Zoë ÿ~~" }), 1_700_000_000_000],
    [token({ exp: "soon" }), null],
    [token(null), null],
    ["h.%%%.s", null],
    ["opaque", null],
  ])("of %s is %j", (text, expiry) => {
    expect(expiryOf(text)).toBe(expiry);
  });
});
