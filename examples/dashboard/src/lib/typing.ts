/** "Is typing": a state in a room's presence, with a time limit on both sides. */
import type { Presence } from "@ws-manager/client";

/** While a user types, the state is set again this often, each time with another value. */
const RENEWED_MS = 3000;

/** A user who has not typed for so long has stopped; a state that has not changed for so long is of
 * a page that was lost. */
export const LIMIT_MS = 8000;

/** The presence of a room, as a Room has it. */
interface PresenceSource {
  getPresence: () => Presence | null;
  subscribePresence: (listener: () => void) => () => void;
}

/** The names of those who are typing, without `self`, for useSyncExternalStore(). */
export function createTypists(source: PresenceSource, self: string | null) {
  const seen = new Map<string, { state: string; since: number }>();
  let names: readonly string[] = [];

  const look = () => {
    const now = Date.now();
    const members = (source.getPresence()?.members ?? []).filter(({ state }) => isTyping(state));
    const typing = new Set(members.map(({ user_id }) => user_id));
    for (const name of seen.keys()) {
      if (!typing.has(name)) {
        seen.delete(name);
      }
    }
    for (const { user_id, state } of members) {
      const text = JSON.stringify(state);
      if (seen.get(user_id)?.state !== text) {
        seen.set(user_id, { state: text, since: now });
      }
    }
    const latest = [...seen]
      .filter(([name, { since }]) => name !== self && now - since < LIMIT_MS)
      .map(([name]) => name)
      .sort((a, b) => a.localeCompare(b, "en"));
    const isSame = latest.length === names.length && latest.every((name, i) => name === names[i]);
    names = isSame ? names : latest;
  };

  return {
    get: () => names,
    subscribe: (listener: () => void) => {
      const update = () => {
        look();
        listener();
      };
      const stop = source.subscribePresence(update);
      const timer = setInterval(update, 1000);
      update();
      return () => {
        stop();
        clearInterval(timer);
      };
    },
  };
}

function isTyping(state: unknown): boolean {
  return typeof state === "object" && state !== null && "typing" in state && state.typing === true;
}

/** Sets the state of this page's user. */
export class TypingSender {
  readonly #setState: (state: unknown) => Promise<void>;
  #lastSent = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(setState: (state: unknown) => Promise<void>) {
    this.#setState = setState;
  }

  typed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.done(), LIMIT_MS);
    if (Date.now() - this.#lastSent >= RENEWED_MS) {
      this.#lastSent = Date.now();
      this.#send({ typing: true, at: this.#lastSent });
    }
  }

  done(): void {
    clearTimeout(this.#timer);
    if (this.#lastSent !== -Infinity) {
      this.#lastSent = -Infinity;
      this.#send(null);
    }
  }

  /** Not worth telling if it fails: the next one may succeed, and the last one ends by itself. */
  #send(state: unknown): void {
    this.#setState(state).catch(() => undefined);
  }
}
