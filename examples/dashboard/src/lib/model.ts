/** The backend's data, as sent over REST and in events. */
import * as v from "valibot";

const integer = v.pipe(v.number(), v.integer());

export const ORDER_STATUSES = ["pending", "confirmed", "shipped", "delivered", "cancelled"] as const;
export const orderStatusSchema = v.picklist(ORDER_STATUSES);
export type OrderStatus = v.InferOutput<typeof orderStatusSchema>;

export const orderItemSchema = v.object({
  sku: v.string(),
  name: v.string(),
  quantity: integer,
  unit_price_cents: integer,
});
export type OrderItem = v.InferOutput<typeof orderItemSchema>;

export const orderSchema = v.object({
  id: integer,
  client_id: integer,
  client_name: v.string(),
  status: orderStatusSchema,
  total_cents: integer,
  created_at: v.string(),
  updated_at: v.string(),
  items: v.array(orderItemSchema),
});
export type Order = v.InferOutput<typeof orderSchema>;

export const clientSchema = v.object({
  id: integer,
  name: v.string(),
  email: v.string(),
  phone: v.nullable(v.string()),
  created_at: v.string(),
});
export type Client = v.InferOutput<typeof clientSchema>;

export const inventoryItemSchema = v.object({
  sku: v.string(),
  name: v.string(),
  quantity: integer,
  low_stock_threshold: integer,
  price_cents: integer,
  updated_at: v.string(),
});
export type InventoryItem = v.InferOutput<typeof inventoryItemSchema>;

export const SEVERITIES = ["info", "success", "warning", "error"] as const;
export const severitySchema = v.picklist(SEVERITIES);
export type Severity = v.InferOutput<typeof severitySchema>;

/** The next possible statuses of an order; the backend refuses all others. */
export function nextStatuses(status: OrderStatus): OrderStatus[] {
  switch (status) {
    case "pending":
      return ["confirmed", "cancelled"];
    case "confirmed":
      return ["shipped", "cancelled"];
    case "shipped":
      return ["delivered"];
    case "delivered":
    case "cancelled":
      return [];
  }
}

export function isLow(item: InventoryItem): boolean {
  return item.quantity <= item.low_stock_threshold;
}
