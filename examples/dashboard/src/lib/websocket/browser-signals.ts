/** What the browser knows of the network and of the page, for a client that wants to act on it. */
export interface Signals {
  isOnline: () => boolean;
  /** Returns the function that ends it. */
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

/** For a program that has no page: always online, never woken. */
export const noSignals: Signals = {
  isOnline: () => true,
  listen: () => () => undefined,
};
