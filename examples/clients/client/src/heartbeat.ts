/**
 * Distinguishes a dead connection from a quiet one: sends a ping at each interval, and expects to
 * receive something soon after. A browser's own socket would notice a cut cable only after minutes.
 */
import { boundedMs } from "./limits.js";

/** However short an interval the server asks for. */
const SHORTEST_INTERVAL_MS = 100;

export interface HeartbeatOptions {
  timeoutMs: number;
  ping: () => void;
  onDead: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #interval: ReturnType<typeof setInterval> | undefined;
  #deadline: ReturnType<typeof setTimeout> | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** An interval of 0 means that the server wants no pings. */
  start(intervalMs: number): void {
    this.stop();
    if (intervalMs > 0) {
      this.#interval = setInterval(() => this.check(), boundedMs(intervalMs, SHORTEST_INTERVAL_MS));
    }
  }

  /** Sends a ping now: at an interval, or when there is a reason to doubt the connection. */
  check(): void {
    this.#options.ping();
    this.#deadline ??= setTimeout(() => {
      this.stop();
      this.#options.onDead();
    }, this.#options.timeoutMs);
  }

  /** Anything that arrives shows that the connection is alive. */
  heard(): void {
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  stop(): void {
    clearInterval(this.#interval);
    this.#interval = undefined;
    this.heard();
  }
}
