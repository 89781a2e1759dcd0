/** What a client can be told, and what it does when it is not. */
import { browserSignals, noSignals, type Signals } from "./browser-signals";
import type { CustomEventType, CustomSchemas, Problem } from "./types";

/** Schemas are asked for as soon as the application has added types of its own. */
type SchemaOption = [CustomEventType] extends [never]
  ? { schemas?: CustomSchemas }
  : { schemas: CustomSchemas };

export type WebSocketClientOptions = SchemaOption & {
  url: string;
  /** Asked before each attempt, so that it may give a fresh one; sent as `?token=`. */
  token?: () => string | null | Promise<string | null>;
  onProblem?: (problem: Problem) => void;
} & Partial<Tuning>;

export interface Tuning {
  /** The delay before attempt n is at most this times 2^(n-1), and at most `longestDelayMs`. */
  firstDelayMs: number;
  longestDelayMs: number;
  /** A connection that lived shorter than this does not count as a success for the delays. */
  stableAfterMs: number;
  connectTimeoutMs: number;
  /** For the answers to requests, and for `welcome`. */
  answerTimeoutMs: number;
  /** After an application ping, for anything to arrive. */
  pongTimeoutMs: number;
  /** Messages that may wait for a connection. */
  queueBound: number;
  /** Event ids that are remembered, to drop an event that comes twice. */
  recentIdsBound: number;
  random: () => number;
  signals: Signals;
  /** The constructor of the sockets, where there is none in `globalThis`. */
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
