/** The backend's REST API. */
import * as v from "valibot";
import {
  clientSchema,
  inventoryItemSchema,
  orderSchema,
  type OrderStatus,
  type Severity,
} from "../model";
import { request } from "./request";

export { ApiError, asError } from "./request";

const ordersSchema = v.object({ orders: v.array(orderSchema) });
const clientsSchema = v.object({
  clients: v.array(clientSchema),
  next_after: v.optional(v.number()),
});
const inventorySchema = v.object({
  inventory: v.array(inventoryItemSchema),
  next_after: v.optional(v.string()),
});
const sentSchema = v.object({ status: v.literal("sent") });
const acceptedSchema = v.object({ status: v.literal("accepted") });

const statisticsSchema = v.object({
  total_connections: v.number(),
  unique_users: v.number(),
  rooms: v.record(v.string(), v.number()),
});
export type Statistics = v.InferOutput<typeof statisticsSchema>;

export const ORDERS_LOADED = 500;

/** The newest orders. */
export async function listOrders() {
  return (await request("GET", `/api/orders?limit=${ORDERS_LOADED}`, ordersSchema)).orders;
}

export interface OrderDraft {
  client_id: number;
  items: { sku: string; quantity: number }[];
}

export function createOrder(draft: OrderDraft) {
  return request("POST", "/api/orders", orderSchema, draft);
}

export function setOrderStatus(id: number, status: OrderStatus) {
  return request("PATCH", `/api/orders/${id}/status`, orderSchema, { status });
}

export async function listClients() {
  let page = await request("GET", "/api/clients", clientsSchema);
  const clients = page.clients;
  while (page.next_after !== undefined) {
    page = await request("GET", `/api/clients?after=${page.next_after}`, clientsSchema);
    clients.push(...page.clients);
  }
  return clients;
}

export interface ClientDraft {
  name: string;
  email: string;
  phone: string | null;
}

export function createClient(draft: ClientDraft) {
  return request("POST", "/api/clients", clientSchema, draft);
}

export async function listInventory() {
  let page = await request("GET", "/api/inventory", inventorySchema);
  const items = page.inventory;
  while (page.next_after !== undefined) {
    const path = `/api/inventory?after=${encodeURIComponent(page.next_after)}`;
    page = await request("GET", path, inventorySchema);
    items.push(...page.inventory);
  }
  return items;
}

export function setQuantity(sku: string, quantity: number) {
  const path = `/api/inventory/${encodeURIComponent(sku)}`;
  return request("PATCH", path, inventoryItemSchema, { quantity });
}

export interface NotificationDraft {
  message: string;
  severity: Severity;
  user_id: string | null;
}

export function sendNotification(draft: NotificationDraft) {
  return request("POST", "/api/notifications", sentSchema, draft);
}

/** With this close code a page does not reconnect by itself, and shows the reason. */
const END = { code: 4403, reason: "disconnected by the staff" };

/** Ends a user's connections to all processes. */
export function disconnectUser(userId: string) {
  return request("POST", `/api/users/${encodeURIComponent(userId)}/disconnect`, acceptedSchema, END);
}

export function getStatistics() {
  return request("GET", "/ws/stats", statisticsSchema);
}
