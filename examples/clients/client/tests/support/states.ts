/** Waiting for a client's states, and browser signals that a test controls. */
import type { ConnectionState, SignalHandlers, Signals } from "../../src/index";

interface StateSource {
  getState: () => ConnectionState;
  subscribe: (listener: () => void) => () => void;
}

type StateOf<S extends ConnectionState["status"]> = Extract<ConnectionState, { status: S }>;

/** Resolves when the state is, or next becomes, this one. */
export function whenState<S extends ConnectionState["status"]>(
  client: StateSource,
  status: S,
  accept: (state: StateOf<S>) => boolean = () => true,
): Promise<StateOf<S>> {
  return new Promise((resolve) => {
    const check = () => {
      const state = client.getState();
      if (state.status === status && accept(state as StateOf<S>)) {
        unsubscribe();
        resolve(state as StateOf<S>);
      }
    };
    const unsubscribe = client.subscribe(check);
    check();
  });
}

type TestSignals = Signals & Record<"wake" | "offline" | "sleep", () => void> & { online: boolean };

export function createSignals(): TestSignals {
  let handlers: SignalHandlers | undefined;
  const signals: TestSignals = {
    online: true,
    isOnline: () => signals.online,
    listen: (given: SignalHandlers) => {
      handlers = given;
      return () => {
        handlers = undefined;
      };
    },
    wake: () => {
      signals.online = true;
      handlers?.onWake();
    },
    offline: () => {
      signals.online = false;
      handlers?.onOffline();
    },
    sleep: () => handlers?.onSleep(),
  };
  return signals;
}
