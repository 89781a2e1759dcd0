/** How long to wait before the next attempt. */

export interface BackoffOptions {
  firstCeilingMs: number;
  longestCeilingMs: number;
  random: () => number;
}

/**
 * Exponential backoff with full jitter: any time from 0 to a ceiling that doubles with each
 * attempt. All clients lose a restarted server at once; spread over the whole interval, they do
 * not come back at once.
 */
export function fullJitterDelay(attempt: number, options: BackoffOptions): number {
  // Beyond 2^30 the ceiling has long been reached, and the power must not become Infinity.
  const ceiling = options.firstCeilingMs * 2 ** Math.min(attempt - 1, 30);
  return options.random() * Math.min(options.longestCeilingMs, ceiling);
}

/** 1012, service restart: the server says by the end of its reason when to come back. */
const RESTART_CLOSE_CODE = 1012;

/**
 * The delay that a server asks for, which sends each of its clients another one; null if it asks for
 * none. No server may ask for more than the ceiling.
 */
export function askedDelay(code: number, reason: string, ceilingMs: number): number | null {
  const asked = code === RESTART_CLOSE_CODE ? /retry in (\d+) ms$/.exec(reason)?.[1] : undefined;
  return asked === undefined ? null : Math.min(Number(asked), ceilingMs);
}
