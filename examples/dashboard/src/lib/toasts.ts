/** Which events are shown as toasts. */
import { notificationToast, type Toast } from "@ws-manager/react";
import type { DashboardEvent } from "../events";

export function toToast(event: DashboardEvent): Toast | null {
  if (event.type !== "stock_low") {
    return notificationToast(event);
  }
  const { sku, name, quantity } = event.data;
  // One toast for each product, with the latest quantity.
  return {
    severity: "warning",
    message: `Low stock: ${name}, ${quantity} left`,
    id: `stock_low ${sku}`,
  };
}
