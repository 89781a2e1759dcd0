// @vitest-environment jsdom
/** The hook and the provider, with the real backend. */
import { act, render } from "@testing-library/react";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { useWebSocketContext } from "../../src/contexts/WebSocketContext";
import { useWebSocket } from "../../src/hooks/use-websocket";
import { Backend } from "../../../clients/client/tests/support/backend";
import { nextEvent, whenState } from "../support/client";
import { renderConnected } from "../support/dom";

let backend: Backend;

beforeAll(async () => {
  backend = await Backend.start();
});
afterAll(() => backend.stop());

function Listener({ onMessage }: { onMessage: (message: string) => void }) {
  useWebSocket("notification", ({ message }) => onMessage(message));
  return null;
}

it("calls the newest handler, once for each event, until the component unmounts", async () => {
  const heard: string[] = [];
  const { client, show } = renderConnected(
    backend.webSocketUrl,
    <Listener onMessage={(message) => heard.push(`first ${message}`)} />,
  );
  await act(() => whenState(client, "connected"));

  const notify = async (message: string) => {
    const arrival = nextEvent(client, "notification");
    await backend.notify(message);
    await arrival;
  };
  await notify("a");
  show(<Listener onMessage={(message) => heard.push(`second ${message}`)} />);
  await notify("b");
  show(null);
  await notify("c");
  expect(heard).toEqual(["first a", "second b"]);
});

it("connects by itself, and closes when the provider unmounts", async () => {
  const { client, unmount } = renderConnected(backend.webSocketUrl, null);
  await act(() => whenState(client, "connected"));
  unmount();
  expect(client.getState()).toEqual({ status: "closed" });
});

it("needs a provider", () => {
  function Lost() {
    useWebSocketContext();
    return null;
  }
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(() => render(<Lost />)).toThrow("needs a <WebSocketProvider>");
});
