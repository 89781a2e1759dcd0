/** The messages of a room that was joined, what became of one's own, and who is typing. */
import { useReducer, useRef, useState, type SubmitEvent } from "react";
import type { DashboardEvents } from "../../events";
import { useTypingSender, useTypists } from "../../hooks/use-typing";
import { reduceChat, type Line } from "../../lib/chat";
import { WebSocketRequestError, type Room } from "@ws-manager/client";
import { useWebSocket, useWebSocketContext } from "@ws-manager/react";
import { Field } from "../Forms/Field";
import { Icon } from "../Layout/Icon";

/** More names than these would not be read while they type. */
const MOST_TYPISTS = 3;

interface ChatRoomProps {
  room: Room<DashboardEvents>;
  onLeave: () => void;
}

export function ChatRoom({ room, onLeave }: ChatRoomProps) {
  const { state } = useWebSocketContext();
  const self = state.status === "connected" ? state.userId : null;
  const [text, setText] = useState("");
  const [lines, dispatch] = useReducer(reduceChat, []);
  const lastNumber = useRef(0);
  const [page] = useState(() => Math.random().toString(36).slice(2));
  const typing = useTypingSender(room);
  const typists = useTypists(room, self);

  useWebSocket("message", (data, event) => {
    if (event.room === room.name) {
      const nonce = data.nonce ?? event.id ?? data.text;
      dispatch({ type: "arrived", nonce, author: event.userId, text: data.text });
    }
  });

  const say = async (nonce: string, said: string) => {
    dispatch({ type: "said", nonce, text: said });
    try {
      await room.send({ text: said, nonce });
      dispatch({ type: "accepted", nonce });
    } catch (error) {
      const problem = error instanceof WebSocketRequestError ? error.message : String(error);
      dispatch({ type: "failed", nonce, problem });
    }
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (text !== "") {
      setText("");
      typing.done();
      lastNumber.current++;
      void say(`${page}-${lastNumber.current}`, text);
    }
  };
  const change = (value: string) => {
    setText(value);
    // A state belongs to a user, so an anonymous client has none.
    if (value === "") {
      typing.done();
    } else if (self !== null) {
      typing.typed();
    }
  };

  return (
    <div className="room">
      <form noValidate className="form form-inline" aria-label="Message to the room" onSubmit={submit}>
        <Field label={`To the room ${room.name}`} error={null} className="grows">
          {(control) => <input {...control} autoComplete="off" value={text} onChange={(event) => change(event.target.value)} onBlur={() => typing.done()} />}
        </Field>
        <button type="submit" className="button primary">Send</button>
        <button type="button" className="button quiet" onClick={onLeave}>Leave</button>
      </form>
      <p className="form-outcome" data-testid="typing">
        <Typists names={typists} />
      </p>
      <ol className="chat" tabIndex={0} aria-label={`Messages in ${room.name}`} aria-live="polite">
        {lines.length === 0 && <li className="row-sub">No messages yet.</li>}
        {lines.map((line) => (
          <li key={line.nonce} data-status={line.status}>
            <bdi>{line.status === "received" ? (line.author ?? "Anonymous") : "You"}</bdi>: <bdi>{line.text}</bdi>{" "}
            <Outcome line={line} onRetry={() => void say(line.nonce, line.text)} />
          </li>
        ))}
      </ol>
    </div>
  );
}

function Typists({ names }: { names: readonly string[] }) {
  if (names.length === 0) {
    return null;
  }
  if (names.length > MOST_TYPISTS) {
    return <span>{names.length} people are typing…</span>;
  }
  return (
    <span>
      {names.map((name, index) => (
        <span key={name}>
          {index > 0 && ", "}
          <bdi>{name}</bdi>
        </span>
      ))}{" "}
      {names.length === 1 ? "is" : "are"} typing…
    </span>
  );
}

function Outcome({ line, onRetry }: { line: Line; onRetry: () => void }) {
  switch (line.status) {
    case "received":
      return null;
    case "sending":
      return <span className="row-sub">sending…</span>;
    case "sent":
      return <span className="row-sub">sent</span>;
    case "failed":
      return (
        <span className="is-bad">
          <Icon name="warning" /> failed: {line.problem}{" "}
          <button type="button" className="button small" onClick={onRetry}>
            Try again
          </button>
        </span>
      );
  }
}
