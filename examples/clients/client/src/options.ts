/** A client's options, and their defaults. */
import { browserSignals, noSignals, type Signals } from "./browser-signals.js";
import { boundedMs } from "./limits.js";
import type { Problem, Schemas } from "./types.js";

export type WebSocketClientOptions<Events extends object> = {
  /** ws: or wss:, http: or https:, or relative to the page. */
  url: string;
  /** Of the application's events: of any library that follows Standard Schema. */
  schemas: Schemas<Events>;
  /**
   * Called before each attempt, so that it may return a fresh token, which is sent as `?token=`;
   * after the close code 4401; and before the `exp` of a JSON Web Token, to renew it on the open
   * connection.
   */
  token?: (() => string | null | Promise<string | null>) | undefined;
  /** Called for a failure that is not the answer to a request; by default it is logged. */
  onProblem?: ((problem: Problem) => void) | undefined;
} & { [K in keyof Tuning]?: Tuning[K] | undefined };

export interface Tuning {
  /** The delay before attempt n is at most this times 2^(n-1), and at most `longestDelayMs`. */
  firstDelayMs: number;
  longestDelayMs: number;
  /** A connection that lasted for a shorter time does not reset the delays. */
  stableAfterMs: number;
  /** For each attempt: from asking for a token to `welcome`. */
  connectTimeoutMs: number;
  /** For answers, from when the message was sent. */
  answerTimeoutMs: number;
  /** How long to wait for any message after a ping. */
  pongTimeoutMs: number;
  /** How many messages may wait for a connection or for their answers. */
  queueBound: number;
  /** How many event ids are remembered, to drop events that arrive twice. */
  recentIdsBound: number;
  random: () => number;
  signals: Signals;
  /** The constructor of the sockets, if `globalThis` has none. */
  WebSocket: unknown;
}

/** An option that is undefined has its default. */
export function tuningOf(options: { [K in keyof Tuning]?: Tuning[K] | undefined }): Tuning {
  return {
    firstDelayMs: boundedMs(options.firstDelayMs ?? 1000),
    longestDelayMs: boundedMs(options.longestDelayMs ?? 30_000),
    stableAfterMs: boundedMs(options.stableAfterMs ?? 5000),
    connectTimeoutMs: boundedMs(options.connectTimeoutMs ?? 10_000),
    answerTimeoutMs: boundedMs(options.answerTimeoutMs ?? 10_000),
    pongTimeoutMs: boundedMs(options.pongTimeoutMs ?? 10_000),
    queueBound: options.queueBound ?? 100,
    recentIdsBound: options.recentIdsBound ?? 10_000,
    random: options.random ?? Math.random,
    signals: options.signals ?? (typeof window === "undefined" ? noSignals : browserSignals),
    WebSocket: options.WebSocket ?? globalThis.WebSocket,
  };
}

/** Throws a TypeError if the address is none, or is relative where there is no page. */
export function absoluteUrl(url: string): URL {
  const absolute = new URL(url, typeof location === "undefined" ? undefined : location.href);
  absolute.protocol = absolute.protocol.replace(/^http/, "ws");
  absolute.hash = "";
  return absolute;
}
