import type { OrderStatus } from "../../lib/model";

export function StatusBadge({ status }: { status: OrderStatus }) {
  return <span className={`badge status-${status}`}>{status}</span>;
}
