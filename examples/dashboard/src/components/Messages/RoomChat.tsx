/** Joins a room, and sends messages to its members. */
import { useState, type SubmitEvent } from "react";
import { useWebSocketContext } from "../../contexts/WebSocketContext";
import { useWebSocket } from "../../hooks/use-websocket";
import { WebSocketRequestError, type DropReason } from "../../lib/websocket/types";
import { Field } from "../Forms/Field";
import { Icon } from "../Layout/Icon";

const MOST_LINES = 50;

interface Line {
  key: string;
  text: string;
}

const dropTexts: Record<DropReason, string> = {
  queue_full: "Not sent: too many messages are already waiting for the connection.",
  refused: "Not sent: the server refused the connection.",
  closed: "Not sent: the page is not connected.",
};

export function RoomChat() {
  const { client, state } = useWebSocketContext();
  const [roomDraft, setRoomDraft] = useState("lobby");
  const [room, setRoom] = useState<string | null>(null);
  const [text, setText] = useState("");
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const [waiting, setWaiting] = useState(0);

  useWebSocket("message", (data, event) => {
    if (event.room === room) {
      const line = { key: event.id ?? data.text, text: `${event.userId ?? "Anonymous"}: ${data.text}` };
      setLines((former) => [line, ...former].slice(0, MOST_LINES));
    }
  });
  // The server may still refuse a message that was sent: without --relay, for example.
  useWebSocket("error", (data) => setProblem(data.message));

  const join = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    setProblem(null);
    try {
      const joined = await client.joinRoom(roomDraft);
      setRoom(joined.room);
      setLines([]);
    } catch (error) {
      setProblem(describe(error));
    }
  };
  const leave = async () => {
    if (room === null) {
      return;
    }
    setProblem(null);
    try {
      await client.leaveRoom(room);
    } catch (error) {
      setProblem(describe(error));
    }
    setRoom(null);
  };
  const send = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (room === null || text === "") {
      return;
    }
    setText("");
    setProblem(null);
    setWaiting((count) => count + 1);
    const outcome = await client.send({ type: "message", room, data: { text } });
    setWaiting((count) => count - 1);
    if (outcome.status === "dropped") {
      setProblem(dropTexts[outcome.reason]);
    }
  };

  return (
    <div className="room">
      {room === null ? (
        <form noValidate className="form form-inline" aria-label="Join a room" onSubmit={(event) => void join(event)}>
          <Field label="Room" error={null} className="grows">
            {(control) => <input {...control} value={roomDraft} onChange={(event) => setRoomDraft(event.target.value)} />}
          </Field>
          <button type="submit" className="button">Join</button>
        </form>
      ) : (
        <form noValidate className="form form-inline" aria-label="Message to the room" onSubmit={(event) => void send(event)}>
          <Field label={`To the room ${room}`} error={null} className="grows">
            {(control) => <input {...control} autoComplete="off" value={text} onChange={(event) => setText(event.target.value)} />}
          </Field>
          <button type="submit" className="button primary">Send</button>
          <button type="button" className="button quiet" onClick={() => void leave()}>Leave</button>
        </form>
      )}
      <p className="form-outcome" role="status">
        {problem !== null ? (
          <span className="is-bad"><Icon name="warning" /> {problem}</span>
        ) : (
          waiting > 0 && state.status !== "connected" && <span>{waiting} waiting for the connection</span>
        )}
      </p>
      {room !== null && (
        <ol className="chat" tabIndex={0} aria-label={`Messages in ${room}`} aria-live="polite">
          {lines.length === 0 && <li className="row-sub">No messages yet.</li>}
          {lines.map(({ key, text: line }) => <li key={key}>{line}</li>)}
        </ol>
      )}
    </div>
  );
}

function describe(error: unknown): string {
  return error instanceof WebSocketRequestError ? error.message : String(error);
}
