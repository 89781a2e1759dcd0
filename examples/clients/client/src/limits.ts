/** Bounds of timers. A browser runs a longer timer at once, and one of 0 ms as fast as it can. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function boundedMs(ms: number, leastMs = 0): number {
  return Number.isNaN(ms) ? LONGEST_TIMER_MS : Math.min(Math.max(ms, leastMs), LONGEST_TIMER_MS);
}
