/** The events that arrive, newest first, with a filter and a pause. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useMemo, useRef, useState } from "react";
import { formatNumber, formatTime } from "../../lib/format";
import type { LogEntry } from "../../lib/live-data/state";
import { Icon } from "../Layout/Icon";
import { Panel } from "../Layout/Panel";
import { describeEvent } from "./describe-event";

const ROW_PX = 36;

interface EventLogProps {
  log: readonly LogEntry[];
  eventCount: number;
}

export const EventLog = memo(function EventLog({ log, eventCount }: EventLogProps) {
  const [filter, setFilter] = useState("");
  /** The log at the time when it was paused. */
  const [paused, setPaused] = useState<readonly LogEntry[] | null>(null);
  const entries = useMemo(() => filterEntries(paused ?? log, filter), [paused, log, filter]);
  const missed = paused === null ? 0 : eventCount - (paused[0]?.number ?? 0);

  const viewport = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: entries.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => entries[index]?.number ?? index,
    overscan: 6,
  });

  return (
    <Panel
      title="Events"
      className="log-panel"
      aside={
        <div className="log-controls">
          <label className="visually-hidden" htmlFor="log-filter">Filter events</label>
          <input id="log-filter" type="search" placeholder="Filter, like order or ada" value={filter} onChange={(event) => setFilter(event.target.value)} />
          <button
            type="button"
            className="button"
            aria-pressed={paused !== null}
            onClick={() => setPaused(paused === null ? log : null)}
          >
            <Icon name={paused === null ? "pause" : "play"} />
            {paused === null ? "Pause" : `Resume (${formatNumber(missed)} new)`}
          </button>
        </div>
      }
    >
      <div ref={viewport} className="log-viewport" tabIndex={0} role="region" aria-label="Event log">
        {entries.length === 0 ? (
          <p className="placeholder">{log.length === 0 ? "No events yet." : "No event matches the filter."}</p>
        ) : (
          <ol className="log" style={{ height: virtualizer.getTotalSize() }}>
            {virtualizer.getVirtualItems().map(({ index, key, start }) => {
              const entry = entries[index];
              return entry === undefined ? null : (
                <li key={key} className="log-entry" style={{ transform: `translateY(${start}px)`, height: ROW_PX }}>
                  <time>{formatTime(entry.event.timestamp ?? entry.at)}</time>
                  <span className={`log-type type-${entry.event.type.split("_")[0] ?? ""}`}>{entry.event.type}</span>
                  <span className="log-text" title={JSON.stringify(entry.event.data)}>{describeEvent(entry.event)}</span>
                </li>
              );
            })}
          </ol>
        )}
      </div>
      <p className="note">
        {formatNumber(eventCount)} since this page was opened; the latest {formatNumber(log.length)} are kept.
      </p>
    </Panel>
  );
});

function filterEntries(entries: readonly LogEntry[], filter: string): readonly LogEntry[] {
  const wanted = filter.trim().toLowerCase();
  if (wanted === "") {
    return entries;
  }
  return entries.filter(({ event }) =>
    `${event.type} ${describeEvent(event)}`.toLowerCase().includes(wanted),
  );
}
