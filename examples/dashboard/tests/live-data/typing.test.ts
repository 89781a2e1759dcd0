/** "Is typing": what is sent, and for how long it is believed. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Presence } from "@ws-manager/client";
import { createTypists, LIMIT_MS, TypingSender } from "../../src/lib/typing";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("is sent seldom, again while it goes on, and ends by itself", () => {
  const sent: unknown[] = [];
  const sender = new TypingSender((state) => {
    sent.push(state);
    return Promise.reject(new Error("not in the room"));
  });
  sender.done();
  const start = Date.now();
  for (let i = 0; i < 40; i++) {
    sender.typed();
    vi.advanceTimersByTime(100);
  }
  expect(sent).toEqual([{ typing: true, at: start }, { typing: true, at: start + 3000 }]);
  vi.advanceTimersByTime(LIMIT_MS);
  expect(sent.slice(2)).toEqual([null]);
});

it("is believed of others until it is old or over", () => {
  const listeners = new Set<() => void>();
  let presence: Presence | null = null;
  const source = {
    getPresence: () => presence,
    subscribePresence: (listener: () => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const set = (states: Record<string, unknown>) => {
    const members = Object.entries(states).map(([user_id, state]) => ({ user_id, connections: 1, state }));
    presence = { count: members.length, members };
    listeners.forEach((listener) => listener());
  };
  const typing = (at: number) => ({ typing: true, at });
  const typists = createTypists(source, "ana");
  const stop = typists.subscribe(() => undefined);
  set({ ana: typing(1), cleo: typing(1), ben: typing(1), dan: { typing: false }, eve: "typing" });
  const first = typists.get();
  expect(first).toEqual(["ben", "cleo"]);
  vi.advanceTimersByTime(LIMIT_MS - 1000);
  expect(typists.get()).toBe(first);
  set({ cleo: typing(1), ben: typing(2) });
  vi.advanceTimersByTime(1000);
  expect(typists.get()).toEqual(["ben"]);
  set({ cleo: typing(1), ben: null });
  expect(typists.get()).toEqual([]);
  stop();
  expect(listeners.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
