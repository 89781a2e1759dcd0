/** The products in stock, the scarcest first. */
import { memo, useMemo } from "react";
import type { LiveDataActions } from "../../contexts/LiveDataContext";
import { asError } from "../../lib/api";
import { formatCount, formatMoney, formatNumber } from "../../lib/format";
import type { Resource } from "../../lib/live-data/resource";
import { isMarked } from "../../lib/live-data/state";
import { isLow, type InventoryItem } from "../../lib/model";
import { showToast } from "@ws-manager/react";
import { ChangeTag } from "../Layout/ChangeTag";
import { Icon } from "../Layout/Icon";
import { Panel } from "../Layout/Panel";
import { ResourceState } from "../Layout/ResourceState";

interface InventoryPanelProps {
  inventory: Resource<string, InventoryItem>;
  now: number;
  actions: LiveDataActions;
}

export const InventoryPanel = memo(function InventoryPanel({ inventory, now, actions }: InventoryPanelProps) {
  const rows = useMemo(
    () => [...inventory.rows.values()].sort((a, b) => compare(a.value, b.value)),
    [inventory.rows],
  );
  const low = rows.filter(({ value }) => isLow(value)).length;

  return (
    <Panel
      title="Inventory"
      aside={<span className="panel-aside">{low === 0 ? "all well stocked" : formatCount(low, "product") + " low"}</span>}
    >
      <ResourceState resource={inventory} noun="inventory" emptyText="There are no products." onRetry={actions.reload} />
      <ul className="rows">
        {rows.map((row) => (
          <InventoryRow
            key={row.value.sku}
            item={row.value}
            mark={isMarked(row, now) ? row.change : null}
            setQuantity={actions.setQuantity}
          />
        ))}
      </ul>
    </Panel>
  );
});

interface InventoryRowProps {
  item: InventoryItem;
  mark: "created" | "updated" | null;
  setQuantity: LiveDataActions["setQuantity"];
}

function InventoryRow({ item, mark, setQuantity }: InventoryRowProps) {
  const restock = async () => {
    // Restocks to three times the threshold, and by at least one.
    const quantity = Math.max(item.low_stock_threshold * 3, item.quantity + 1);
    try {
      await setQuantity(item.sku, quantity);
    } catch (error) {
      showToast({ severity: "error", message: `${item.name}: ${asError(error).message}` });
    }
  };

  return (
    <li className={`row ${mark === null ? "" : `mark-${mark}`}`} data-sku={item.sku}>
      <div className="row-main">
        <span className="row-title">
          {item.name} <ChangeTag change={mark} />
        </span>
        <span className="row-sub">
          {item.sku} · {formatMoney(item.price_cents)}
        </span>
      </div>
      <div className="row-side">
        {isLow(item) && (
          <span className="badge low">
            <Icon name="warning" /> low
          </span>
        )}
        <span className="row-number" title={`Low at ${formatNumber(item.low_stock_threshold)}`}>
          {formatNumber(item.quantity)}
        </span>
        {isLow(item) && (
          <button type="button" className="button small" aria-label={`Restock ${item.name}`} onClick={() => void restock()}>
            Restock
          </button>
        )}
      </div>
    </li>
  );
}

function compare(a: InventoryItem, b: InventoryItem): number {
  return Number(isLow(b)) - Number(isLow(a)) || a.name.localeCompare(b.name, "en");
}
