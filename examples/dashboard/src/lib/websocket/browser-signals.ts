/** What the browser knows of the network and of the page, for a client that reacts to it. */
export interface Signals {
  isOnline: () => boolean;
  /** Subscribes; returns the function that unsubscribes. */
  listen: (handlers: { onWake: () => void; onOffline: () => void }) => () => void;
}

export const browserSignals: Signals = {
  isOnline: () => navigator.onLine,

  listen: ({ onWake, onOffline }) => {
    const onVisibility = () => {
      if (document.visibilityState === "visible") {
        onWake();
      }
    };
    window.addEventListener("online", onWake);
    window.addEventListener("offline", onOffline);
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      window.removeEventListener("online", onWake);
      window.removeEventListener("offline", onOffline);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  },
};

/** For a program without a page: always online, never woken. */
export const noSignals: Signals = {
  isOnline: () => true,
  listen: () => () => undefined,
};
