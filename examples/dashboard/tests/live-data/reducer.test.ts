/** How events, loads and answers change the dashboard's data. */
import { describe, expect, it } from "vitest";
import type { Order, OrderStatus } from "../../src/lib/model";
import { reduceLiveData, type LiveDataAction } from "../../src/lib/live-data/reducer";
import {
  initialLiveData,
  isMarked,
  MARK_MS,
  MOST_LOG_ENTRIES,
  MOST_ORDERS,
  type LiveData,
} from "../../src/lib/live-data/state";
import type { DashboardEvent, DashboardEvents } from "../../src/events";
import type { EventData, EventType } from "@ws-manager/client";

function order(id: number, version = 1, status: OrderStatus = "pending"): Order {
  return {
    id,
    client_id: 1,
    client_name: "Ada",
    status,
    total_cents: 100,
    created_at: "2026-01-01T00:00:00.000Z",
    updated_at: `2026-01-01T00:00:00.00${version}Z`,
    items: [],
  };
}

function event<T extends EventType<DashboardEvents>>(
  type: T,
  data: EventData<DashboardEvents, T>,
  isKept = false,
): DashboardEvent {
  const envelope = { id: null, timestamp: null, userId: null, room: null, key: null, ref: null };
  return { type, data, ...envelope, isKept } as unknown as DashboardEvent;
}

function reduce(...actions: LiveDataAction[]): LiveData {
  return actions.reduce(reduceLiveData, initialLiveData());
}

const loaded = (orders: Order[], startedAt = 0, now = 10): LiveDataAction => ({
  type: "orders_loaded", orders, startedAt, now,
});
const events = (now: number, ...list: DashboardEvent[]): LiveDataAction => ({ type: "events", events: list, now });
const shown = (state: LiveData) =>
  [...state.orders.rows.values()].map(({ value, change }) => `${value.id} ${value.status} ${String(change)}`);

describe("orders", () => {
  it("of the first load are not marked; those of events are", () => {
    const state = reduce(loaded([order(1)]), events(20, event("order_created", order(2))));
    expect(shown(state)).toEqual(["1 pending null", "2 pending created"]);
    const row = state.orders.rows.get(2);
    expect(row !== undefined && isMarked(row, 21)).toBe(true);
    expect(row !== undefined && isMarked(row, 21 + MARK_MS)).toBe(false);
  });

  it("of an event take precedence over a load that began before it", () => {
    const state = reduce(
      events(5, event("order_created", order(1, 2, "confirmed")), event("order_created", order(2))),
      loaded([order(1, 1)], 1),
    );
    expect(shown(state)).toEqual(["1 confirmed created", "2 pending created"]);
  });

  it("of an older event do not replace newer ones", () => {
    const state = reduce(loaded([order(1, 5, "shipped")]), events(20, event("order_updated", order(1, 4))));
    expect(shown(state)).toEqual(["1 shipped null"]);
  });

  it("missing from a later load are removed, and changed ones are marked", () => {
    const state = reduce(
      loaded([order(1), order(2), order(3, 9)]),
      loaded([order(2, 2, "confirmed"), order(3, 1), order(4)], 30, 40),
    );
    expect(shown(state)).toEqual(["2 confirmed updated", "3 pending updated", "4 pending created"]);
  });

  it("saved here are shown by the answer, and not marked again by their event", () => {
    const saved = { type: "order_saved", order: order(1), change: "created", now: 20 } as const;
    expect(shown(reduce(saved))).toEqual(["1 pending created"]);
    const changed = reduce(
      events(10, event("order_created", order(1)), event("order_updated", order(1, 2, "confirmed"))),
      saved,
    );
    expect(shown(changed)).toEqual(["1 confirmed updated"]);
    expect(changed.orders.rows.get(1)?.changedAt).toBe(10);
  });

  it("are bounded: the oldest are removed", () => {
    const many = Array.from({ length: MOST_ORDERS + 5 }, (_, i) => event("order_created", order(i + 1)));
    const state = reduce(events(1, ...many));
    expect(state.orders.rows.size).toBe(MOST_ORDERS);
    expect(state.orders.rows.has(5)).toBe(false);
    expect(state.orders.rows.has(6)).toBe(true);
  });

  it("stay the same object without a change, so that they are not rendered", () => {
    const before = reduce(loaded([order(1)]));
    const after = reduceLiveData(before, events(20, event("notification", { message: "m", severity: "info" })));
    expect(after.orders).toBe(before.orders);
    expect(after.inventory).toBe(before.inventory);
  });
});

describe("what a room kept", () => {
  const kept = (...orders: Order[]) =>
    events(20, ...orders.map((each) => event("order_created", each, true)));

  it("is shown, but neither marked nor logged nor counted", () => {
    const state = reduce(kept(order(1), order(2)));
    expect(shown(state)).toEqual(["1 pending null", "2 pending null"]);
    expect(state.log).toEqual([]);
    expect(state.eventCount).toBe(0);
  });

  it("stays when a load that began before lacks it, and takes precedence over an older one", () => {
    const state = reduce(kept(order(1), order(2, 2, "confirmed")), loaded([order(2, 1)], 15, 30));
    expect(shown(state)).toEqual(["2 confirmed null", "1 pending null"]);
  });

  it("does not end the mark of a change", () => {
    const state = reduce(events(10, event("order_created", order(1))), kept(order(1)));
    expect(shown(state)).toEqual(["1 pending created"]);
  });
});

describe("a failed load", () => {
  it("keeps the rows", () => {
    const state = reduce(loaded([order(1)]), { type: "load_failed", resource: "orders", message: "busy" });
    expect(state.orders).toMatchObject({ status: "failed", message: "busy" });
    expect(state.orders.rows.size).toBe(1);
  });
});

describe("the log and the rate", () => {
  const note = event("notification", { message: "m", severity: "info" });

  it("are newest first, bounded, and without answers to this page", () => {
    const many = Array<DashboardEvent>(MOST_LOG_ENTRIES + 1).fill(note);
    const state = reduce(events(1, ...many), events(2, event("pong", { id: "e.1" }), note));
    expect(state.log).toHaveLength(MOST_LOG_ENTRIES);
    expect(state.log[0]).toMatchObject({ number: MOST_LOG_ENTRIES + 2, at: 2 });
    expect(state.eventCount).toBe(MOST_LOG_ENTRIES + 2);
  });

  it("count the events of each second", () => {
    const tick = (now: number): LiveDataAction => ({ type: "tick", now });
    const state = reduce(events(1, note, note), tick(1000), events(1001, note), tick(2000), tick(3000));
    expect(state.rate.slice(-4)).toEqual([0, 2, 1, 0]);
    expect(state.rate).toHaveLength(60);
  });
});
