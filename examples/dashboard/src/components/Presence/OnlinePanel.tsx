/** Who is online: the users who have a page open, on whichever process of the backend. Each can be
 * disconnected. */
import { memo, useState, type ReactNode } from "react";
import { ONLINE_ROOM } from "../../config";
import { useRequest } from "../../hooks/use-request";
import { disconnectUser, type Statistics } from "../../lib/api";
import { formatCount } from "../../lib/format";
import type { ConnectionState, Member, Presence } from "@ws-manager/client";
import { usePresence } from "@ws-manager/react";
import { FormOutcome } from "../Forms/FormOutcome";
import { Icon } from "../Layout/Icon";
import { Panel } from "../Layout/Panel";

/** A list of names is for reading: the others are counted. */
const MOST_NAMES = 50;

interface OnlinePanelProps {
  connection: ConnectionState;
  statistics: Statistics | null;
  statisticsMessage: string;
}

export const OnlinePanel = memo(function OnlinePanel(props: OnlinePanelProps) {
  const { connection, statistics, statisticsMessage } = props;
  const presence = usePresence(ONLINE_ROOM);
  const [success, setSuccess] = useState<string | null>(null);
  const { isPending, error, run } = useRequest();

  const disconnect = async (userId: string) => {
    setSuccess(null);
    if ((await run(() => disconnectUser(userId))) !== null) {
      setSuccess(`${userId} is being disconnected.`);
    }
  };

  return (
    <Panel
      title="Online"
      aside={
        <span className="panel-aside">
          {presence === null ? "…" : formatCount(presence.count, "named user")}
          {statistics !== null && `, ${formatCount(statistics.total_connections, "connection")} here`}
        </span>
      }
    >
      {statisticsMessage !== "" && (
        <p className="failure" role="alert">
          <Icon name="warning" /> These figures may be out of date: {statisticsMessage}.
        </p>
      )}
      <ul className="rows scrolls" tabIndex={0} aria-label="Online">
        {connection.status === "connected" ? (
          <Names
            presence={presence}
            self={connection.userId}
            isPending={isPending}
            onDisconnect={(userId) => void disconnect(userId)}
          />
        ) : (
          <Note>Unknown while disconnected.</Note>
        )}
      </ul>
      <FormOutcome success={success} error={error} />
    </Panel>
  );
});

interface NamesProps {
  presence: Presence | null;
  self: string | null;
  isPending: boolean;
  onDisconnect: (userId: string) => void;
}

/** This page's user is the first; the others are in alphabetical order. */
function Names({ presence, self, isPending, onDisconnect }: NamesProps) {
  const others = (presence?.members ?? [])
    .filter(({ user_id }) => user_id !== self)
    .sort((a, b) => a.user_id.localeCompare(b.user_id, "en"));
  const more = (presence?.count ?? 0) - Math.min(others.length, MOST_NAMES) - (self === null ? 0 : 1);

  return (
    <>
      <li className="row">
        <span className="row-title">
          {self === null ? "Anonymous" : <bdi>{self}</bdi>} (this page)
        </span>
      </li>
      {others.slice(0, MOST_NAMES).map((member) => (
        <Name key={member.user_id} member={member} isPending={isPending} onDisconnect={onDisconnect} />
      ))}
      {more > 0 && <Note>and {formatCount(more, "other user")}</Note>}
    </>
  );
}

interface NameProps extends Pick<NamesProps, "isPending" | "onDisconnect"> {
  member: Member;
}

function Name({ member: { user_id, connections }, isPending, onDisconnect }: NameProps) {
  return (
    <li className="row">
      <div className="row-main">
        <span className="row-title">
          <bdi>{user_id}</bdi>
        </span>
        {connections > 1 && <span className="row-sub">{formatCount(connections, "connection")}</span>}
      </div>
      <button
        type="button"
        className="button small quiet"
        aria-label={`Disconnect ${user_id}`}
        disabled={isPending}
        onClick={() => onDisconnect(user_id)}
      >
        Disconnect
      </button>
    </li>
  );
}

function Note({ children }: { children: ReactNode }) {
  return (
    <li className="row">
      <span className="row-sub">{children}</span>
    </li>
  );
}
