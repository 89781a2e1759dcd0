/** A client's options, and their defaults. */
import { browserSignals, noSignals, type Signals } from "./browser-signals";
import type { CustomEventType, CustomSchemas, Problem } from "./types";

/** Schemas are required as soon as the application has added types. */
type SchemaOption = [CustomEventType] extends [never]
  ? { schemas?: CustomSchemas }
  : { schemas: CustomSchemas };

export type WebSocketClientOptions = SchemaOption & {
  url: string;
  /** Called before each attempt, so that it may return a fresh token; sent as `?token=`. */
  token?: () => string | null | Promise<string | null>;
  onProblem?: (problem: Problem) => void;
} & Partial<Tuning>;

export interface Tuning {
  /** The delay before attempt n is at most this times 2^(n-1), and at most `longestDelayMs`. */
  firstDelayMs: number;
  longestDelayMs: number;
  /** A connection that lasted for a shorter time does not reset the delays. */
  stableAfterMs: number;
  connectTimeoutMs: number;
  /** For answers to requests, and for `welcome`. */
  answerTimeoutMs: number;
  /** How long to wait for any message after a ping. */
  pongTimeoutMs: number;
  /** How many messages may wait for a connection. */
  queueBound: number;
  /** How many event ids are remembered, to drop events that arrive twice. */
  recentIdsBound: number;
  random: () => number;
  signals: Signals;
  /** The constructor of the sockets, if `globalThis` has none. */
  WebSocket: unknown;
}

export function defaultTuning(): Tuning {
  return {
    firstDelayMs: 1000,
    longestDelayMs: 30_000,
    stableAfterMs: 5000,
    connectTimeoutMs: 10_000,
    answerTimeoutMs: 10_000,
    pongTimeoutMs: 10_000,
    queueBound: 100,
    recentIdsBound: 10_000,
    random: Math.random,
    signals: typeof window === "undefined" ? noSignals : browserSignals,
    WebSocket: globalThis.WebSocket,
  };
}
