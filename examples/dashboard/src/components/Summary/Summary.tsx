/** The most important numbers. */
import { memo, useMemo } from "react";
import type { LiveData } from "../../lib/live-data/state";
import { formatMoney, formatNumber } from "../../lib/format";
import { isLow } from "../../lib/model";
import { EventRate } from "../Events/EventRate";

type SummaryProps = Pick<LiveData, "orders" | "inventory" | "statistics" | "rate">;

export const Summary = memo(function Summary({ orders, inventory, statistics, rate }: SummaryProps) {
  const { open, value } = useMemo(() => {
    const all = [...orders.rows.values()].map((row) => row.value);
    return {
      open: all.filter(({ status }) => status === "pending" || status === "confirmed").length,
      value: all.reduce((sum, { status, total_cents }) => sum + (status === "cancelled" ? 0 : total_cents), 0),
    };
  }, [orders.rows]);
  const low = [...inventory.rows.values()].filter((row) => isLow(row.value)).length;
  const hasOrders = orders.status === "ready" || orders.rows.size > 0;

  return (
    <section className="summary" aria-label="Summary">
      <dl className="summary-numbers">
        <Figure label="Open orders" value={hasOrders ? formatNumber(open) : "…"} sub={`of the latest ${formatNumber(orders.rows.size)}`} />
        <Figure label="Order value" value={hasOrders ? formatMoney(value) : "…"} sub="without cancelled orders" />
        <Figure label="Low stock" value={inventory.rows.size > 0 ? formatNumber(low) : "…"} sub={`of ${formatNumber(inventory.rows.size)} products`} isBad={low > 0} />
        <Figure label="Connections" value={statistics === null ? "…" : formatNumber(statistics.total_connections)} sub="open on this backend" />
      </dl>
      <EventRate rate={rate} />
    </section>
  );
});

interface FigureProps {
  label: string;
  value: string;
  sub: string;
  isBad?: boolean;
}

function Figure({ label, value, sub, isBad = false }: FigureProps) {
  return (
    <div className={`summary-figure ${isBad ? "is-bad" : ""}`}>
      <dt className="summary-label">{label}</dt>
      <dd>
        <span className="summary-value">{value}</span>
        <span className="summary-sub">{sub}</span>
      </dd>
    </div>
  );
}
