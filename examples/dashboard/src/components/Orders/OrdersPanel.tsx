/** The newest orders. Only the visible rows are rendered. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { memo, useMemo, useRef } from "react";
import type { LiveDataActions } from "../../contexts/LiveDataContext";
import { useHeldRows } from "../../hooks/use-held-rows";
import { formatCount } from "../../lib/format";
import type { Resource } from "../../lib/live-data/resource";
import { isMarked } from "../../lib/live-data/state";
import type { Order } from "../../lib/model";
import { Panel } from "../Layout/Panel";
import { ResourceState } from "../Layout/ResourceState";
import { OrderRow } from "./OrderRow";

/** In a wide page; the rows of a narrow page are higher, and are measured. */
const ESTIMATED_ROW_PX = 49;

interface OrdersPanelProps {
  orders: Resource<number, Order>;
  now: number;
  actions: LiveDataActions;
}

export const OrdersPanel = memo(function OrdersPanel({ orders, now, actions }: OrdersPanelProps) {
  const newestFirst = useMemo(() => [...orders.rows.keys()].sort((a, b) => b - a), [orders.rows]);
  const held = useHeldRows(newestFirst);
  const rows = held.keys.flatMap((id) => orders.rows.get(id) ?? []);

  const viewport = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => ESTIMATED_ROW_PX,
    getItemKey: (index) => rows[index]?.value.id ?? index,
    overscan: 5,
  });
  const visible = virtualizer.getVirtualItems();
  const above = visible[0]?.start ?? 0;
  const below = virtualizer.getTotalSize() - (visible.at(-1)?.end ?? 0);

  return (
    <Panel
      title="Orders"
      className="orders-panel"
      aside={
        <span className="panel-aside">
          {held.waiting > 0 ? (
            <button type="button" className="button small" onClick={held.release}>
              Show {formatCount(held.waiting, "new order")}
            </button>
          ) : (
            formatCount(rows.length, "order")
          )}
        </span>
      }
    >
      <ResourceState
        resource={orders}
        noun="orders"
        emptyText="No orders yet. Place the first one with the form."
        onRetry={actions.reload}
      />
      {rows.length > 0 && (
        // It scrolls, so it must be reachable by keyboard.
        <div ref={viewport} className="table-viewport" tabIndex={0} role="region" aria-label="Table of orders" {...held.handlers}>
          <table className="table orders-table" aria-rowcount={rows.length + 1}>
            <thead>
              <tr aria-rowindex={1}>
                <th scope="col">Order</th>
                <th scope="col">Client</th>
                <th scope="col" className="order-items">Items</th>
                <th scope="col">Status</th>
                <th scope="col" className="number">Total</th>
                <th scope="col" className="order-time">Placed</th>
                <th scope="col">Next step</th>
              </tr>
            </thead>
            <tbody>
              {above > 0 && <Spacer height={above} />}
              {visible.map(({ index, key }) => {
                const row = rows[index];
                return row === undefined ? null : (
                  <OrderRow
                    key={key}
                    order={row.value}
                    mark={isMarked(row, now) ? row.change : null}
                    index={index}
                    measure={virtualizer.measureElement}
                    setStatus={actions.setOrderStatus}
                  />
                );
              })}
              {below > 0 && <Spacer height={below} />}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
});

/** Takes up the space of the rows that are not rendered. */
function Spacer({ height }: { height: number }) {
  return (
    <tr aria-hidden="true" className="spacer">
      <td colSpan={7} style={{ height }} />
    </tr>
  );
}
