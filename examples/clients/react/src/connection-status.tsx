/** The state of the connection, as text, icon and colour. */
import type { ConnectionState } from "@ws-manager/client";
import type { CSSProperties } from "react";
import { Countdown } from "./countdown.js";
import { Icon, type IconName } from "./icon.js";
import { useWebSocketContext } from "./provider.js";
import * as styles from "./styles.js";

export interface ConnectionStatusProps {
  className?: string | undefined;
  style?: CSSProperties | undefined;
  /** Without styles of its own, for a page that has rules for the classes of the parts. */
  unstyled?: boolean | undefined;
}

interface Description {
  icon: IconName;
  colour: string;
  text: string;
  detail?: string;
  /** The time of the next attempt. */
  retryAt?: number | null;
  canRetry: boolean;
}

export function ConnectionStatus({ className, style, unstyled = false }: ConnectionStatusProps) {
  const { client, state } = useWebSocketContext();
  const { icon, colour, text, detail, retryAt, canRetry } = describe(state);
  const own = (given: CSSProperties) => (unstyled ? undefined : given);

  return (
    <div
      className={className === undefined ? "ws-manager-connection" : `ws-manager-connection ${className}`}
      style={{ ...own(styles.root), ...style }}
      data-status={state.status}
    >
      <span className="ws-manager-status" style={own(styles.status(colour))} role="status">
        <Icon name={icon} style={own({ color: colour, flex: "none" })} />
        <span>{text}</span>
        {detail !== undefined && <span className="ws-manager-detail">{detail}</span>}
      </span>
      {/* Outside of the status element, so that a screen reader does not read every second aloud. */}
      {retryAt !== undefined && (
        <span className="ws-manager-countdown" style={own(styles.countdown)}>
          {retryAt === null ? "connecting…" : <>next attempt in <Countdown key={retryAt} until={retryAt} /></>}
        </span>
      )}
      {canRetry && (
        <button
          type="button"
          className="ws-manager-retry"
          style={own(styles.button)}
          onClick={() => client.retryNow()}
        >
          Try now
        </button>
      )}
    </div>
  );
}

function describe(state: ConnectionState): Description {
  const { good, warning, bad } = styles.colours;
  switch (state.status) {
    case "closed":
      return { icon: "cross", colour: warning, text: "Not connected", canRetry: false };
    case "connecting":
      return { icon: "dots", colour: warning, text: "Connecting", canRetry: false };
    case "connected":
      return { icon: "check", colour: good, text: "Connected", canRetry: false };
    case "reconnecting":
      return {
        icon: "loop",
        colour: warning,
        text: "Reconnecting",
        detail: `attempt ${state.attempt}`,
        retryAt: state.retryAt,
        canRetry: state.retryAt !== null,
      };
    case "offline":
      return {
        icon: "offline",
        colour: bad,
        text: "Offline",
        detail: "no network",
        retryAt: state.retryAt,
        canRetry: state.retryAt !== null,
      };
    case "refused":
      return {
        icon: "shield",
        colour: bad,
        text: "Refused",
        detail: state.reason === "" ? `code ${state.code}` : `${state.reason} (${state.code})`,
        canRetry: true,
      };
  }
}
