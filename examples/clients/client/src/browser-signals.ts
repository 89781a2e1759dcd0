/** What the browser knows of the network and of the page, for a client that reacts to it. */
export interface SignalHandlers {
  /** The network is available again, or the page is visible or runs again. */
  onWake: () => void;
  onOffline: () => void;
  /** The page stops running: its timers stand still, and its connections end unnoticed. */
  onSleep: () => void;
}

export interface Signals {
  isOnline: () => boolean;
  /** Subscribes; returns the function that unsubscribes. */
  listen: (handlers: SignalHandlers) => () => void;
}

export const browserSignals: Signals = {
  isOnline: () => navigator.onLine,

  listen: ({ onWake, onOffline, onSleep }) => {
    const ended = new AbortController();
    const { signal } = ended;
    const onVisibility = () => {
      if (document.visibilityState === "visible") {
        onWake();
      }
    };
    // A page is also frozen when the user leaves it and may come back to it (`persisted`).
    const ifPersisted = (handler: () => void) => (event: PageTransitionEvent) => {
      if (event.persisted) {
        handler();
      }
    };
    window.addEventListener("online", onWake, { signal });
    window.addEventListener("offline", onOffline, { signal });
    window.addEventListener("pagehide", ifPersisted(onSleep), { signal });
    window.addEventListener("pageshow", ifPersisted(onWake), { signal });
    document.addEventListener("freeze", onSleep, { signal });
    document.addEventListener("resume", onWake, { signal });
    document.addEventListener("visibilitychange", onVisibility, { signal });
    return () => ended.abort();
  },
};

/** For a program without a page: always online, never woken. */
export const noSignals: Signals = {
  isOnline: () => true,
  listen: () => () => undefined,
};
