/** The state of the connection, as text, icon and colour. */
import { useWebSocketContext } from "../../contexts/WebSocketContext";
import type { ConnectionState } from "@ws-manager/client";
import { Icon, type IconName } from "../Layout/Icon";
import { Countdown } from "./Countdown";

interface Description {
  icon: IconName;
  text: string;
  detail?: string;
  /** The time of the next attempt. */
  retryAt?: number | null;
  canRetry: boolean;
}

export function ConnectionStatus() {
  const { client, state } = useWebSocketContext();
  const { icon, text, detail, retryAt, canRetry } = describe(state);

  return (
    <div className="connection" data-status={state.status}>
      <span className="connection-status" role="status">
        <Icon name={icon} />
        <span>{text}</span>
        {detail !== undefined && <span className="connection-detail">{detail}</span>}
      </span>
      {/* Outside of the status element, so that a screen reader does not read every second aloud. */}
      {retryAt !== undefined && (
        <span className="connection-countdown">
          {retryAt === null ? "connecting…" : <>next attempt in <Countdown key={retryAt} until={retryAt} /></>}
        </span>
      )}
      {canRetry && (
        <button type="button" className="button small" onClick={() => client.retryNow()}>
          Try now
        </button>
      )}
    </div>
  );
}

function describe(state: ConnectionState): Description {
  switch (state.status) {
    case "closed":
      return { icon: "cross", text: "Not connected", canRetry: false };
    case "connecting":
      return { icon: "dots", text: "Connecting", canRetry: false };
    case "connected":
      return { icon: "check", text: "Connected", canRetry: false };
    case "reconnecting":
      return {
        icon: "loop",
        text: "Reconnecting",
        detail: `attempt ${state.attempt}`,
        retryAt: state.retryAt,
        canRetry: state.retryAt !== null,
      };
    case "offline":
      return {
        icon: "offline",
        text: "Offline",
        detail: "no network",
        retryAt: state.retryAt,
        canRetry: state.retryAt !== null,
      };
    case "refused":
      return {
        icon: "shield",
        text: "Refused",
        detail: state.reason === "" ? `code ${state.code}` : `${state.reason} (${state.code})`,
        canRetry: true,
      };
  }
}
