/** The client's modules that need no connection, and its types. */
import { describe, expect, it, vi } from "vitest";
import { askedDelay, fullJitterDelay } from "../../src/lib/websocket/backoff";
import { WebSocketClient } from "../../src/lib/websocket/client";
import { RecentIds } from "../../src/lib/websocket/recent-ids";
import { customSchemas } from "../../src/events";

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
  const options = { url: "ws://localhost/ws", schemas: customSchemas };

  it("cover the events", () => {
    const client = new WebSocketClient(options);
    const ignore = vi.fn<(value: unknown) => void>();
    client.on("stock_low", (item) => ignore(item.low_stock_threshold));
    client.on("message", (message) => ignore(message.text.length));
    // @ts-expect-error: there is no such type of event
    client.on("order_creatd", ignore);
    // @ts-expect-error: the data of this type has no such field
    client.on("notification", (data) => ignore(data.total_cents));
    // @ts-expect-error: "message" is the only type that a client sends
    void client.send({ type: "shout", data: null });
    client.close();
  });

  it("require schemas for added types", () => {
    // @ts-expect-error: the type "message" was added, so its schema is needed
    const missing: ConstructorParameters<typeof WebSocketClient>[0] = { url: options.url };
    expect(missing).toBeDefined();
  });
});
