// @vitest-environment jsdom
/** The provider and its hooks, with the real backend. */
import { act, render, screen } from "@testing-library/react";
import { usePresence, useConnectionState, useLastEvent, useWebSocket, useWebSocketContext } from "@ws-manager/react";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Backend } from "../../client/tests/support/backend";
import { whenState } from "../../client/tests/support/states";
import { nextEvent, renderConnected } from "./support/dom";

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

it("has the latest event of a type, and none of the type before", async () => {
  function Last({ type }: { type: "notification" | "stock_low" }) {
    const event = useLastEvent(type);
    return <output>{event === null ? "none" : JSON.stringify(event.data)}</output>;
  }
  const output = () => screen.getByRole("status").textContent;
  const { client, show } = renderConnected(backend.webSocketUrl, <Last type="notification" />);
  await act(() => whenState(client, "connected"));
  expect(output()).toBe("none");
  await act(async () => {
    await backend.notify("one");
    const last = nextEvent(client, "notification");
    await backend.notify("two");
    await last;
  });
  await screen.findByText(/two/);
  expect(output()).toBe('{"message":"two","severity":"info"}');
  show(<Last type="stock_low" />);
  expect(output()).toBe("none");
});

it("renders what uses the state for each state, and what uses the client once", async () => {
  const states: string[] = [];
  let renders = 0;
  function Status() {
    states.push(useConnectionState().status);
    return null;
  }
  const { client, unmount } = renderConnected(
    backend.webSocketUrl,
    <>
      <Status />
      <Listener onMessage={() => undefined} />
      <Counted onRender={() => renders++} />
    </>,
  );
  const first = renders;
  await act(() => whenState(client, "connected"));
  expect(states).toContain("connecting");
  expect(states.at(-1)).toBe("connected");
  expect(renders).toBe(first);
  unmount();
  expect(client.getState()).toEqual({ status: "closed" });
});

function Counted({ onRender }: { onRender: () => void }) {
  onRender();
  useWebSocket("notification", () => undefined);
  return null;
}

it("knows who is in a room, and who is connected", async () => {
  function Who({ room }: { room?: string }) {
    const presence = usePresence(room);
    return <p>{presence === null ? "unknown" : (presence.members ?? []).map((each) => each.user_id).join(", ")}</p>;
  }
  const { show } = renderConnected(`${backend.webSocketUrl}?user_id=ann`, <Who room="lobby" />);
  expect(screen.getByText("unknown")).toBeDefined();
  await screen.findByText("ann");
  show(<Who key="service" />);
  expect(screen.getByText("unknown")).toBeDefined();
  await screen.findByText("ann");
});

it("needs a provider", () => {
  function Lost() {
    useWebSocketContext();
    return null;
  }
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  expect(() => render(<Lost />)).toThrow("useWebSocketContext() needs a <WebSocketProvider> above");
});
