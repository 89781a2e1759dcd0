/** When a token expires, and asking for its successor in time. */
import { boundedMs, LONGEST_TIMER_MS } from "./limits.js";

/** A token is renewed so long before its end, or after half of what remains of it. */
const RENEWED_BEFORE_MS = 30_000;
const SHORTEST_WAIT_MS = 1000;

/** The `exp` of a JSON Web Token, in milliseconds since the epoch; null of any other text. It is not
 * verified: that is the server's business. */
export function expiryOf(token: string): number | null {
  const payload = token.split(".")[1];
  if (payload === undefined) {
    return null;
  }
  try {
    const claims: unknown = JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/")));
    const exp = typeof claims === "object" && claims !== null && "exp" in claims ? claims.exp : null;
    return typeof exp === "number" ? exp * 1000 : null;
  } catch {
    return null;
  }
}

export class TokenRenewal {
  readonly #renew: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(renew: () => void) {
    this.#renew = renew;
  }

  /** Calls back before the token expires. One that has expired by this machine's clock is left to
   * the server, whose clock counts. */
  start(token: string | null): void {
    this.stop();
    const expiresAt = token === null ? null : expiryOf(token);
    if (expiresAt === null || expiresAt <= Date.now()) {
      return;
    }
    const remaining = expiresAt - Date.now();
    const wait = Math.max(remaining - RENEWED_BEFORE_MS, remaining / 2);
    this.#timer = setTimeout(
      () => (wait > LONGEST_TIMER_MS ? this.start(token) : this.#renew()),
      boundedMs(wait, SHORTEST_WAIT_MS),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
