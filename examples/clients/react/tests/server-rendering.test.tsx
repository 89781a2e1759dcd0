// @vitest-environment jsdom
/** Rendering on a server, where there is no page, no address and no WebSocket; and what a browser makes
 * of it. */
import {
  ConnectionStatus,
  NotificationToast,
  useConnectionState,
  useLastEvent,
  usePresence,
  useRoom,
  WebSocketProvider,
} from "@ws-manager/react";
import { act, StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { afterEach, expect, it, vi } from "vitest";
import { schemas } from "./support/events";

afterEach(() => {
  vi.unstubAllGlobals();
});

function Page() {
  return (
    <StrictMode>
      <WebSocketProvider options={{ url: "/ws", schemas }}>
        <ConnectionStatus />
        <NotificationToast />
        <Facts />
      </WebSocketProvider>
    </StrictMode>
  );
}

function Facts() {
  const { room, status } = useRoom("lobby");
  const facts = [
    useConnectionState().status,
    status,
    room,
    usePresence("lobby"),
    usePresence(),
    useLastEvent("notification"),
  ];
  return <p>{facts.map(String).join(" ")}</p>;
}

function renderOnServer(): string {
  for (const name of ["window", "document", "location", "WebSocket"]) {
    vi.stubGlobal(name, undefined);
  }
  const html = renderToString(<Page />);
  vi.unstubAllGlobals();
  return html;
}

it("renders what a page shows first", () => {
  const html = renderOnServer();
  expect(html).toContain("Connecting");
  expect(html).toContain("<p>connecting joining null null null null</p>");
});

it("is taken over by the browser without a difference", async () => {
  const opened: string[] = [];
  class FakeWebSocket extends EventTarget {
    constructor(url: string) {
      super();
      opened.push(url);
    }
    close() {
      return undefined;
    }
  }
  const container = document.createElement("div");
  container.innerHTML = renderOnServer();
  vi.stubGlobal("WebSocket", FakeWebSocket);
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  vi.stubGlobal("matchMedia", () => new EventTarget());
  const error = vi.spyOn(console, "error");
  const differences: unknown[] = [];
  const root = await act(() =>
    hydrateRoot(container, <Page />, {
      onRecoverableError: (difference) => differences.push(difference),
    }),
  );
  expect(differences).toEqual([]);
  expect(error).not.toHaveBeenCalled();
  expect(container.textContent).toContain("Connecting");
  await vi.waitFor(() => expect(opened).not.toEqual([]), { timeout: 50_000 });
  expect(new URL("/ws", location.href).href.replace("http", "ws")).toBe(opened[0]);
  act(() => root.unmount());
});
