/** The delay before the next attempt. */

export interface BackoffOptions {
  firstCeilingMs: number;
  longestCeilingMs: number;
  random: () => number;
}

/**
 * Exponential backoff with full jitter: a random delay from 0 to a ceiling that doubles with each
 * attempt. All clients lose a restarted server at once; because their delays are spread over the
 * whole interval, they do not reconnect at once.
 */
export function fullJitterDelay(attempt: number, options: BackoffOptions): number {
  // Beyond 2^30 the ceiling has long been reached, and the power must not become Infinity.
  const ceiling = options.firstCeilingMs * 2 ** Math.min(attempt - 1, 30);
  return options.random() * Math.min(options.longestCeilingMs, ceiling);
}

/** 1012, service restart: the end of the server's reason says when to reconnect. */
const RESTART_CLOSE_CODE = 1012;

/**
 * The delay that a server asks for, which differs from client to client; null if it asks for none.
 * It is limited to the ceiling.
 */
export function askedDelay(code: number, reason: string, ceilingMs: number): number | null {
  const asked = code === RESTART_CLOSE_CODE ? /retry in (\d+) ms$/.exec(reason)?.[1] : undefined;
  return asked === undefined ? null : Math.min(Number(asked), ceilingMs);
}
