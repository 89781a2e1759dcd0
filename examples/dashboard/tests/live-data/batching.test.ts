/** Batching events. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { EventBatch } from "../../src/lib/live-data/event-batch";

const FRAME_MS = 16;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  vi.stubGlobal("requestAnimationFrame", (callback: () => void) => setTimeout(callback, FRAME_MS));
  vi.stubGlobal("cancelAnimationFrame", (id: number) => clearTimeout(id));
  vi.advanceTimersByTime(1000);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("delivers a thousand events of a second in a few batches, in order", () => {
  const portions: number[][] = [];
  const batch = new EventBatch<number>((portion) => portions.push(portion));
  for (let i = 0; i < 1000; i++) {
    batch.add(i);
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(1000);
  expect(portions.flat()).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(portions.length).toBeLessThanOrEqual(11);
});

it("delivers a single event with the next frame", () => {
  const portions: number[][] = [];
  const batch = new EventBatch<number>((portion) => portions.push(portion));
  batch.add(1);
  vi.advanceTimersByTime(FRAME_MS);
  expect(portions).toEqual([[1]]);
});

it("is bounded without frames, as in a hidden page", () => {
  vi.stubGlobal("requestAnimationFrame", () => 1);
  vi.stubGlobal("cancelAnimationFrame", () => undefined);
  let received = 0;
  const batch = new EventBatch<number>((portion) => (received += portion.length));
  for (let i = 0; i < 12_000; i++) {
    batch.add(i);
  }
  expect(received).toBe(10_000);
});

it("delivers nothing once it is stopped", () => {
  const portions: number[][] = [];
  const batch = new EventBatch<number>((portion) => portions.push(portion));
  batch.add(1);
  batch.stop();
  vi.advanceTimersByTime(1000);
  expect(portions).toEqual([]);
});
