// @vitest-environment jsdom
/** Who is online, and the chat: what became of each message, and who is typing. */
import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { RoomChat } from "../../src/components/Messages/RoomChat";
import { OnlinePanel } from "../../src/components/Presence/OnlinePanel";
import { useWebSocketContext } from "@ws-manager/react";
import { whenState } from "../support/client";
import { renderConnected } from "../support/dom";
import { answer, send, StubServer, type StubOptions } from "../../../clients/client/tests/support/stub-server";

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) {
    await cleanup();
  }
});

async function startStub(options: StubOptions): Promise<StubServer> {
  const stub = await StubServer.start({
    onConnection: (socket) =>
      send(socket, {
        type: "welcome",
        data: { connection_id: "c", user_id: "zoe", id: "stub.0", ping_interval_ms: 0 },
      }),
    ...options,
  });
  cleanups.push(() => stub.stop());
  return stub;
}

function Online() {
  const { state } = useWebSocketContext();
  return <OnlinePanel connection={state} statistics={null} statisticsMessage="" />;
}

it("names the first fifty of five hundred users, and counts the others", async () => {
  const members = Array.from({ length: 500 }, (_, i) => ({
    user_id: i === 0 ? "zoe" : `user ${String(i).padStart(3, "0")}`,
    connections: i === 1 ? 2 : 1,
    state: null,
  }));
  const stub = await startStub({
    onMessage: (received) => {
      answer(received);
      send(received.socket, { type: "presence", room: "orders", data: { count: 500, members } });
    },
  });
  const { unmount } = renderConnected(stub.url, <Online />);
  const list = within(screen.getByRole("list", { name: "Online" }));
  await list.findByText("and 449 other users");
  const rows = list.getAllByRole("listitem").map(({ textContent }) => textContent);
  expect(rows).toHaveLength(52);
  expect(rows[0]).toBe("zoe (this page)");
  expect(rows[1]).toBe("user 0012 connectionsDisconnect");
  expect(rows[50]).toBe("user 050Disconnect");
  screen.getByText("500 named users");
  unmount();
});

it("disconnects a user, and shows what became of it", async () => {
  const members = ["zoe", "ben & co"].map((user_id) => ({ user_id, connections: 1, state: null }));
  const stub = await startStub({
    onMessage: (received) => {
      answer(received);
      send(received.socket, { type: "presence", room: "orders", data: { count: 2, members } });
    },
  });
  const user = userEvent.setup();
  const forbidden = { error: { code: "forbidden", message: "only the staff may do this", field: null } };
  const answers = [Response.json(forbidden, { status: 403 }), Response.json({ status: "accepted" }, { status: 202 })];
  const requests: [string, unknown][] = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    requests.push([path, JSON.parse(init.body as string)]);
    return Promise.resolve(answers.shift());
  });
  cleanups.push(() => vi.unstubAllGlobals());
  const { unmount } = renderConnected(stub.url, <Online />);
  const button = await screen.findByRole("button", { name: "Disconnect ben & co" });
  expect(screen.queryByRole("button", { name: "Disconnect zoe" })).toBeNull();
  await user.click(button);
  await screen.findByText("Only the staff may do this");
  await user.click(button);
  await screen.findByText("ben & co is being disconnected.");
  expect(screen.queryByText("Only the staff may do this")).toBeNull();
  const body = { code: 4403, reason: "disconnected by the staff" };
  expect(requests).toEqual(Array(2).fill(["/api/users/ben%20%26%20co/disconnect", body]));
  unmount();
});

it("shows a message as being sent, as failed, and as sent when it was tried again", async () => {
  let refuse: (() => void) | undefined;
  const stub = await startStub({
    onMessage: (received) => {
      const { socket, message } = received;
      answer(received);
      if (message.type === "message" && refuse === undefined) {
        refuse = () =>
          send(socket, { type: "error", ref: message.ref, data: { code: "rate_limited", message: "too fast" } });
      } else if (message.type === "message") {
        send(socket, { type: "ack", ref: message.ref, data: null });
      }
    },
  });
  const user = userEvent.setup();
  const { client } = renderConnected(stub.url, <RoomChat />);
  await act(() => whenState(client, "connected"));
  await user.click(screen.getByRole("button", { name: "Join" }));
  await user.type(await screen.findByLabelText("To the room lobby"), "hello");
  await user.click(screen.getByRole("button", { name: "Send" }));
  const line = () => within(screen.getByRole("list", { name: "Messages in lobby" })).getByRole("listitem");
  await screen.findByText("sending…");
  expect(line().textContent).toBe("You: hello sending…");
  while (refuse === undefined) await new Promise((resolve) => setImmediate(resolve));
  act(refuse);
  await screen.findByText(/failed: too fast/);
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await screen.findByText("sent");
  expect(line().textContent).toBe("You: hello sent");

  // Its own message, and the same again: the sender has tried twice.
  const sent = stub.received.filter(({ type }) => type === "message") as unknown as { data: unknown }[];
  const [socket] = stub.sockets;
  if (socket === undefined) throw new Error("no connection");
  send(socket, { type: "message", room: "lobby", user_id: "zoe", data: sent[0]?.data });
  for (let i = 0; i < 2; i++) {
    send(socket, { type: "message", room: "lobby", user_id: "ben", data: { text: "hi", nonce: "ben-1" } });
  }
  send(socket, { type: "message", room: "lobby", data: { text: "end", nonce: "x-1" } });
  await screen.findByText("end");
  const texts = screen.getAllByRole("listitem").map(({ textContent }) => textContent.trim());
  expect(texts).toEqual(["Anonymous: end", "ben: hi", "You: hello sent"]);
});

it("says so when the server takes the page out of the room", async () => {
  const stub = await startStub({ onMessage: answer });
  const user = userEvent.setup();
  const { client } = renderConnected(stub.url, <RoomChat />, { onProblem: () => undefined });
  await act(() => whenState(client, "connected"));
  await user.click(screen.getByRole("button", { name: "Join" }));
  await screen.findByLabelText("To the room lobby");
  stub.sockets.forEach((socket) => send(socket, { type: "room_left", data: { room: "lobby", id: "stub.1" } }));
  await screen.findByText("You are no longer in the room lobby.");
  screen.getByRole("button", { name: "Join" });
});
