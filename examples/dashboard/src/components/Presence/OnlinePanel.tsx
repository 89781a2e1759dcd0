/**
 * Who is online. The server sends the number of connections, and presence events; it has no list of
 * clients that were connected before this page, and the panel says so.
 */
import { memo } from "react";
import type { Statistics } from "../../lib/api";
import { formatCount } from "../../lib/format";
import type { Arrival } from "../../lib/live-data/state";
import type { ConnectionState } from "../../lib/websocket/types";
import { Icon } from "../Layout/Icon";
import { Panel } from "../Layout/Panel";

interface OnlinePanelProps {
  connection: ConnectionState;
  arrivals: readonly Arrival[];
  statistics: Statistics | null;
  statisticsMessage: string;
}

export const OnlinePanel = memo(function OnlinePanel(props: OnlinePanelProps) {
  const { connection, arrivals, statistics, statisticsMessage } = props;
  const isConnected = connection.status === "connected";
  const others = (statistics?.total_connections ?? 0) - arrivals.length - (isConnected ? 1 : 0);

  return (
    <Panel
      title="Online"
      aside={
        <span className="panel-aside">
          {statistics === null
            ? "…"
            : `${formatCount(statistics.total_connections, "connection")}, ${formatCount(statistics.unique_users, "named user")}`}
        </span>
      }
    >
      {statisticsMessage !== "" && (
        <p className="failure" role="alert">
          <Icon name="warning" /> These figures may be out of date: {statisticsMessage}.
        </p>
      )}
      <ul className="rows scrolls" tabIndex={0} aria-label="Online">
        {isConnected && (
          <li className="row">
            <span className="row-title">{connection.userId ?? "Anonymous"} (this page)</span>
          </li>
        )}
        {arrivals.map(({ connectionId, userId }) => (
          <li key={connectionId} className="row">
            <span className="row-title">{userId ?? "Anonymous"}</span>
            <span className="row-sub">{connectionId}</span>
          </li>
        ))}
        {isConnected && others > 0 && (
          <li className="row">
            <span className="row-sub">
              and {formatCount(others, "connection")} opened before this one: the server counts
              those, but does not name them
            </span>
          </li>
        )}
        {!isConnected && (
          <li className="row">
            <span className="row-sub">Unknown while disconnected.</span>
          </li>
        )}
      </ul>
    </Panel>
  );
});
