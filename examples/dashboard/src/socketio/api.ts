/** What this page needs of the backend's REST API. The page trusts its server: answers and events are
 * not validated, unlike in the dashboard. */
import type { Client, InventoryItem, Order } from "../lib/model";

interface Failure {
  error: { message: string };
}

export interface OrderDraft {
  client_id: number;
  items: { sku: string; quantity: number }[];
}

/** Rejects with the backend's message. */
async function request<Answer>(path: string, token: string | null, body?: unknown): Promise<Answer> {
  const response = await fetch(path, {
    headers: {
      ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
    },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    const failure = (await response.json()) as Failure;
    throw new Error(failure.error.message);
  }
  return (await response.json()) as Answer;
}

export async function listOrders(token: string | null): Promise<Order[]> {
  return (await request<{ orders: Order[] }>("/api/orders", token)).orders;
}

export async function listClients(token: string | null): Promise<Client[]> {
  return (await request<{ clients: Client[] }>("/api/clients", token)).clients;
}

export async function listInventory(token: string | null): Promise<InventoryItem[]> {
  return (await request<{ inventory: InventoryItem[] }>("/api/inventory", token)).inventory;
}

export function createOrder(token: string | null, draft: OrderDraft): Promise<Order> {
  return request<Order>("/api/orders", token, draft);
}
