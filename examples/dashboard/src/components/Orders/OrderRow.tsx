import { memo } from "react";
import type { LiveDataActions } from "../../contexts/LiveDataContext";
import { useRequest } from "../../hooks/use-request";
import { asError } from "../../lib/api";
import { formatDayAndTime, formatMoney, formatTime } from "../../lib/format";
import type { Change } from "../../lib/live-data/resource";
import { nextStatuses, type Order, type OrderStatus } from "../../lib/model";
import { showToast } from "@ws-manager/react";
import { ChangeTag } from "../Layout/ChangeTag";
import { StatusBadge } from "./StatusBadge";

interface OrderRowProps {
  order: Order;
  /** The order's latest change, while it is marked. */
  mark: Change | null;
  /** The index in the whole table, of which not all rows are rendered. */
  index: number;
  measure: (element: HTMLTableRowElement | null) => void;
  setStatus: LiveDataActions["setOrderStatus"];
}

const verbs: Record<OrderStatus, string> = {
  pending: "Reopen",
  confirmed: "Confirm",
  shipped: "Ship",
  delivered: "Deliver",
  cancelled: "Cancel",
};

export const OrderRow = memo(function OrderRow({ order, mark, index, measure, setStatus }: OrderRowProps) {
  const { isPending, run } = useRequest();

  const change = (status: OrderStatus) =>
    run(async () => {
      try {
        await setStatus(order.id, status);
      } catch (error) {
        showToast({ severity: "error", message: `Order ${order.id}: ${asError(error).message}` });
      }
    });

  return (
    <tr
      ref={measure}
      data-index={index}
      aria-rowindex={index + 2} // the header is the first row
      data-order={order.id}
      className={mark === null ? "" : `mark-${mark}`}
    >
      <th scope="row" className="order-id">
        #{order.id}
      </th>
      <td className="order-client">
        <bdi>{order.client_name}</bdi>
      </td>
      <td className="order-items" title={describeItems(order)}>
        {describeItems(order)}
      </td>
      <td className="order-status">
        <StatusBadge status={order.status} /> <ChangeTag change={mark} />
      </td>
      <td className="order-total number">{formatMoney(order.total_cents)}</td>
      <td className="order-time">
        <time dateTime={order.created_at} title={formatDayAndTime(order.created_at)}>
          {formatTime(order.created_at)}
        </time>
      </td>
      <td className="order-actions">
        {nextStatuses(order.status).map((status) => (
          <button
            key={status}
            type="button"
            className={`button small ${status === "cancelled" ? "quiet" : ""}`}
            aria-label={`${verbs[status]} order ${order.id}`}
            disabled={isPending}
            onClick={() => void change(status)}
          >
            {verbs[status]}
          </button>
        ))}
      </td>
    </tr>
  );
});

function describeItems({ items }: Order): string {
  return items.map(({ quantity, name }) => `${quantity} × ${name}`).join(", ");
}
