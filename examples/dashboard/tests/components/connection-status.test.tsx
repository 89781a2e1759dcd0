// @vitest-environment jsdom
/** The indicator's text in each state. */
import { act, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { ConnectionStatus } from "../../src/components/WebSocket/ConnectionStatus";
import { browserSignals } from "@ws-manager/client";
import { Backend } from "../../../clients/client/tests/support/backend";
import { createSignals, whenState } from "../support/client";
import { renderConnected } from "../support/dom";
import { StubServer } from "../../../clients/client/tests/support/stub-server";

const FOREVER_MS = 2 ** 31 - 1;
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function startBackend() {
  const backend = await Backend.start();
  cleanups.push(() => backend.stop());
  return backend;
}

const status = () => screen.getByRole("status").textContent;

describe("the connection's status", () => {
  it("is connecting, then connected", async () => {
    const backend = await startBackend();
    const { client } = renderConnected(backend.webSocketUrl, <ConnectionStatus />);
    expect(status()).toBe("Connecting");
    await act(() => whenState(client, "connected"));
    expect(status()).toBe("Connected");
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("is reconnecting, shows the attempt and the seconds, and can retry at once", async () => {
    const backend = await startBackend();
    const { client } = renderConnected(backend.webSocketUrl, <ConnectionStatus />, {
      firstDelayMs: 90_000,
      longestDelayMs: 90_000,
      random: () => 1,
    });
    await act(() => whenState(client, "connected"));
    await backend.stop("SIGKILL");
    await act(() => whenState(client, "reconnecting"));
    expect(status()).toBe("Reconnectingattempt 1");
    expect(screen.getByText(/next attempt in (90|8\d) s/)).toBeDefined();

    const second = await Backend.start({ port: backend.port });
    cleanups.push(() => second.stop());
    await userEvent.click(screen.getByRole("button", { name: "Try now" }));
    await act(() => whenState(client, "connected"));
    expect(status()).toBe("Connected");
  });

  it("is offline when there is no network", async () => {
    const backend = await startBackend();
    const signals = createSignals();
    const { client } = renderConnected(backend.webSocketUrl, <ConnectionStatus />, {
      signals,
      firstDelayMs: FOREVER_MS,
      longestDelayMs: FOREVER_MS,
      random: () => 1,
    });
    await act(() => whenState(client, "connected"));
    signals.online = false;
    await backend.stop("SIGKILL");
    await act(() => whenState(client, "offline"));
    expect(status()).toBe("Offlineno network");
  });

  it("is refused, and shows the reason", async () => {
    const stub = await StubServer.start({
      onConnection: (socket) => socket.close(4403, "not on the list"),
    });
    cleanups.push(() => stub.stop());
    const { client } = renderConnected(stub.url, <ConnectionStatus />);
    await act(() => whenState(client, "refused"));
    expect(status()).toBe("Refusednot on the list (4403)");
    expect(screen.getByRole("button", { name: "Try now" })).toBeDefined();
  });
});

describe("the browser's signals", () => {
  it("are delivered until unsubscribed", () => {
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
});
