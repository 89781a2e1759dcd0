// @vitest-environment jsdom
/** What the browser tells the client about its page. */
import { browserSignals } from "@ws-manager/client";
import { expect, it } from "vitest";

it("is delivered until unsubscribed", () => {
  const heard: string[] = [];
  const stop = browserSignals.listen({
    onWake: () => heard.push("wake"),
    onOffline: () => heard.push("offline"),
    onSleep: () => heard.push("sleep"),
  });
  const transition = (type: string, persisted: boolean) => {
    window.dispatchEvent(Object.assign(new Event(type), { persisted }));
  };
  const fireAll = () => {
    window.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("offline"));
    document.dispatchEvent(new Event("freeze"));
    document.dispatchEvent(new Event("resume"));
    transition("pagehide", true);
    transition("pageshow", true);
  };
  // jsdom says "prerender" where a browser says "visible".
  Object.defineProperty(document, "visibilityState", { configurable: true, value: "visible" });
  fireAll();
  Object.defineProperty(document, "visibilityState", { configurable: true, value: "hidden" });
  document.dispatchEvent(new Event("visibilitychange"));
  // A page that is left for good, or shown for the first time.
  transition("pagehide", false);
  transition("pageshow", false);
  stop();
  fireAll();
  expect(heard).toEqual(["wake", "wake", "offline", "sleep", "wake", "sleep", "wake"]);
});
