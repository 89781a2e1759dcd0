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
