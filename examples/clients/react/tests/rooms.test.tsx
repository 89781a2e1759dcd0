// @vitest-environment jsdom
/** Rooms that components hold: joined, refused for now or for good, and lost. */
import { act, screen } from "@testing-library/react";
import { useRoom } from "@ws-manager/react";
import { expect, it } from "vitest";
import { startStub } from "../../client/tests/support/cleanups";
import { answer, send, type Received } from "../../client/tests/support/stub-server";
import { renderConnected } from "./support/dom";

function Lobby({ name = "lobby" }: { name?: string }) {
  const { room, status, error } = useRoom(name);
  return <p>{`${room?.name ?? "no room"} ${status} ${error?.code ?? "-"}`}</p>;
}

const joins = (received: Received["message"][]) => received.filter(({ type }) => type === "join_room").length;

it("joins a room, moves to another, and leaves it when it unmounts", async () => {
  const stub = await startStub();
  const { show } = renderConnected(stub.url, <Lobby />);
  expect(screen.getByText("lobby joining -")).toBeDefined();
  await screen.findByText("lobby joined -");
  show(<Lobby name="attic" />);
  await screen.findByText("attic joined -");
  show(null);
  await expect
    .poll(() => stub.received.filter(({ type }) => type === "leave_room").map(({ room }) => room), { timeout: 50_000 })
    .toEqual(["lobby", "attic"]);
});

it("sends to its room, and knows the answer", async () => {
  const stub = await startStub({
    onMessage: (received) => {
      const { socket, message } = received;
      answer(received);
      if (message.type === "message") {
        send(socket, { type: "ack", ref: message.ref, data: { to: message.room } });
      }
    },
  });
  const answers: unknown[] = [];
  function Greeter() {
    const { room, status } = useRoom("lobby");
    const greet = async () => answers.push(await room?.send({ text: "hello" }));
    return <button disabled={status !== "joined"} onClick={() => void greet()}>greet</button>;
  }
  renderConnected(stub.url, <><Greeter /><Lobby /></>);
  await screen.findByText("lobby joined -");
  act(() => screen.getByRole("button").click());
  await expect.poll(() => answers, { timeout: 50_000 }).toEqual([{ to: "lobby" }]);
});

it("is refused for good", async () => {
  const stub = await startStub({
    onMessage: ({ socket, message }) =>
      send(socket, { type: "error", ref: message.ref, data: { code: "forbidden", message: "no" } }),
  });
  renderConnected(stub.url, <Lobby />);
  await screen.findByText("lobby refused forbidden");
  expect(joins(stub.received)).toBe(1);
});

it("tries again after a refusal for now", async () => {
  const stub = await startStub({
    onMessage: (received) => {
      if (joins(stub.received) === 1) {
        const data = { code: "rate_limited", message: "later" };
        send(received.socket, { type: "error", ref: received.message.ref, data });
      } else {
        answer(received);
      }
    },
  });
  const seen: string[] = [];
  function Watched() {
    const { status, error } = useRoom("lobby");
    seen.push(`${status} ${error?.code ?? "-"}`);
    return <p>{status}</p>;
  }
  renderConnected(stub.url, <Watched />, { firstDelayMs: 50 });
  await screen.findByText("joined");
  expect(seen).toContain("joining rate_limited");
  expect(seen.at(-1)).toBe("joined -");
});

it("learns that the server has taken it out of the room", async () => {
  const stub = await startStub();
  renderConnected(stub.url, <Lobby />, { onProblem: () => undefined });
  await screen.findByText("lobby joined -");
  act(() => stub.sockets.forEach((socket) => send(socket, { type: "room_left", data: { room: "lobby", id: "stub.1" } })));
  await screen.findByText("lobby refused not_member");
});
