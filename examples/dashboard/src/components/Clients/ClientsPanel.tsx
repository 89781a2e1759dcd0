/** The clients who place orders. */
import { memo, useMemo } from "react";
import type { LiveDataActions } from "../../contexts/LiveDataContext";
import { formatCount } from "../../lib/format";
import type { Resource } from "../../lib/live-data/resource";
import { isMarked } from "../../lib/live-data/state";
import type { Client } from "../../lib/model";
import { ChangeTag } from "../Layout/ChangeTag";
import { Panel } from "../Layout/Panel";
import { ResourceState } from "../Layout/ResourceState";
import { ClientForm } from "./ClientForm";

/** Only the newest are shown: a dashboard is no place for a longer list. */
const MOST_SHOWN = 50;

interface ClientsPanelProps {
  clients: Resource<number, Client>;
  now: number;
  actions: LiveDataActions;
}

export const ClientsPanel = memo(function ClientsPanel({ clients, now, actions }: ClientsPanelProps) {
  const rows = useMemo(
    () => [...clients.rows.values()].sort((a, b) => b.value.id - a.value.id),
    [clients.rows],
  );

  return (
    <Panel title="Clients" aside={<span className="panel-aside">{formatCount(rows.length, "client")}</span>}>
      <ResourceState resource={clients} noun="clients" emptyText="There are no clients yet." onRetry={actions.reload} />
      {rows.length > 0 && (
        <ul className="rows scrolls" tabIndex={0} aria-label="Clients">
          {rows.slice(0, MOST_SHOWN).map((row) => {
            const mark = isMarked(row, now) ? row.change : null;
            const { id, name, email, phone } = row.value;
            return (
              <li key={id} className={`row ${mark === null ? "" : `mark-${mark}`}`}>
                <div className="row-main">
                  <span className="row-title">
                    <bdi>{name}</bdi> <ChangeTag change={mark} />
                  </span>
                  <span className="row-sub">
                    <bdi>{email}</bdi>
                    {phone !== null && ` · ${phone}`}
                  </span>
                </div>
              </li>
            );
          })}
        </ul>
      )}
      {rows.length > MOST_SHOWN && <p className="note">The newest {MOST_SHOWN} are shown.</p>}
      <details className="disclosure">
        <summary>Add a client</summary>
        <ClientForm addClient={actions.addClient} />
      </details>
    </Panel>
  );
});
