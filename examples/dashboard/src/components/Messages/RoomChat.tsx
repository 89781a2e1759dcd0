/** Joins a room, to send messages to its members. */
import { useEffect, useRef, useState, type SubmitEvent } from "react";
import type { DashboardEvents } from "../../events";
import { WebSocketRequestError, type Room } from "@ws-manager/client";
import { useWebSocket, useWebSocketContext } from "@ws-manager/react";
import { Field } from "../Forms/Field";
import { Icon } from "../Layout/Icon";
import { ChatRoom } from "./ChatRoom";

export function RoomChat() {
  const { client } = useWebSocketContext();
  const [draft, setDraft] = useState("lobby");
  const [room, setRoom] = useState<Room<DashboardEvents> | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const held = useRef<Room<DashboardEvents> | null>(null);

  const leave = () => {
    held.current?.leave().catch(() => undefined); // the page is no longer in it, answered or not
    held.current = null;
    setRoom(null);
  };
  // Without a ref nobody has asked for it: the server has taken the page out of the room.
  useWebSocket("room_left", (data, event) => {
    if (event.ref === null && data.room === room?.name) {
      leave();
      setProblem(`You are no longer in the room ${data.room}.`);
    }
  });
  useEffect(() => () => void held.current?.leave().catch(() => undefined), []);

  const join = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setProblem(null);
    void held.current?.leave().catch(() => undefined);
    const joining = client.room(draft, { presence: true });
    held.current = joining;
    try {
      await joining.joined;
      if (held.current === joining) {
        setRoom(joining);
      }
    } catch (error) {
      if (held.current === joining) {
        leave();
        setProblem(error instanceof WebSocketRequestError ? error.message : String(error));
      }
    }
  };

  if (room !== null) {
    return <ChatRoom key={room.name} room={room} onLeave={leave} />;
  }
  return (
    <div className="room">
      <form noValidate className="form form-inline" aria-label="Join a room" onSubmit={(event) => void join(event)}>
        <Field label="Room" error={null} className="grows">
          {(control) => <input {...control} value={draft} onChange={(event) => setDraft(event.target.value)} />}
        </Field>
        <button type="submit" className="button">Join</button>
      </form>
      <p className="form-outcome" role="status">
        {problem !== null && <span className="is-bad"><Icon name="warning" /> {problem}</span>}
      </p>
    </div>
  );
}
