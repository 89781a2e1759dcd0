/** How events, loads and the passing of time change the dashboard's data. */
import type { DashboardEvent } from "../../events";
import type { Statistics } from "../api";
import type { Client, InventoryItem, Order } from "../model";
import { loadResource, ResourceDraft, saveRow, type Change, type Resource } from "./resource";
import { MOST_LOG_ENTRIES, MOST_ORDERS, type LiveData, type LogEntry } from "./state";

export type LiveDataAction =
  | { type: "events"; events: readonly DashboardEvent[]; now: number }
  | { type: "tick"; now: number }
  | { type: "orders_loaded"; orders: Order[]; startedAt: number; now: number }
  | { type: "clients_loaded"; clients: Client[]; startedAt: number; now: number }
  | { type: "inventory_loaded"; inventory: InventoryItem[]; startedAt: number; now: number }
  | { type: "load_failed"; resource: "orders" | "clients" | "inventory"; message: string }
  | { type: "order_saved"; order: Order; change: Change; now: number }
  | { type: "client_saved"; client: Client; now: number }
  | { type: "item_saved"; item: InventoryItem; now: number }
  | { type: "statistics_loaded"; statistics: Statistics }
  | { type: "statistics_failed"; message: string };

const orderKind = { keyOf: (order: Order) => order.id, versionOf: (order: Order) => order.updated_at };
/** A client has no time of change, so the latest message counts. */
const clientKind = { keyOf: (client: Client) => client.id, versionOf: () => "" };
const itemKind = {
  keyOf: (item: InventoryItem) => item.sku,
  versionOf: (item: InventoryItem) => item.updated_at,
};

const ANSWERS: ReadonlySet<string> = new Set<DashboardEvent["type"]>([
  "welcome",
  "pong",
  "room_joined",
  "room_left",
  "authenticated",
  "ack",
  "response",
  "presence",
  "presence_changed",
]);

export function reduceLiveData(state: LiveData, action: LiveDataAction): LiveData {
  switch (action.type) {
    case "events":
      return applyEvents(state, action.events, action.now);
    case "tick":
      return {
        ...state,
        now: action.now,
        rate: [...state.rate.slice(1), state.rateNow],
        rateNow: 0,
      };
    case "orders_loaded": {
      const { orders, startedAt, now } = action;
      return { ...state, orders: loadResource(state.orders, orders, orderKind, startedAt, now) };
    }
    case "clients_loaded": {
      const { clients, startedAt, now } = action;
      return { ...state, clients: loadClients(state, clients, startedAt, now) };
    }
    case "inventory_loaded": {
      const { inventory, startedAt, now } = action;
      return {
        ...state,
        inventory: loadResource(state.inventory, inventory, itemKind, startedAt, now),
      };
    }
    case "load_failed":
      return {
        ...state,
        [action.resource]: {
          ...state[action.resource],
          status: "failed",
          message: action.message,
        },
      };
    case "order_saved": {
      const { order, change, now } = action;
      return { ...state, orders: saveRow(state.orders, order, change, orderKind, now) };
    }
    case "client_saved": {
      const { client, now } = action;
      return { ...state, clients: saveRow(state.clients, client, "created", clientKind, now) };
    }
    case "item_saved": {
      const { item, now } = action;
      return { ...state, inventory: saveRow(state.inventory, item, "updated", itemKind, now) };
    }
    case "statistics_loaded":
      return { ...state, statistics: action.statistics, statisticsMessage: "" };
    case "statistics_failed":
      return { ...state, statisticsMessage: action.message };
  }
}

/** Clients have no version: a loaded client is considered unchanged unless it differs from the
 * known one. */
function loadClients(state: LiveData, clients: Client[], startedAt: number, now: number) {
  const loaded = loadResource(state.clients, clients, clientKind, startedAt, now);
  const draft = new ResourceDraft(loaded, clientKind);
  for (const client of clients) {
    const former = state.clients.rows.get(client.id);
    const isStale = former !== undefined && former.changedAt < startedAt;
    if (isStale && JSON.stringify(former.value) !== JSON.stringify(client)) {
      draft.put(client, "updated", now);
    }
  }
  return draft.finish();
}

function applyEvents(state: LiveData, events: readonly DashboardEvent[], now: number): LiveData {
  const orders = new ResourceDraft(state.orders, orderKind);
  const clients = new ResourceDraft(state.clients, clientKind);
  const inventory = new ResourceDraft(state.inventory, itemKind);

  for (const event of events) {
    // What a room kept is how things are, not a change.
    const change = (kind: Change) => (event.isKept ? null : kind);
    switch (event.type) {
      case "order_created":
        orders.put(event.data, change("created"), now);
        break;
      case "order_updated":
      case "order_status_changed":
        orders.put(event.data, change("updated"), now);
        break;
      case "client_created":
        clients.put(event.data, change("created"), now);
        break;
      case "client_updated":
        clients.put(event.data, change("updated"), now);
        break;
      case "inventory_updated":
        inventory.put(event.data, change("updated"), now);
        break;
      case "stock_low": // follows an inventory_updated with the same content
      case "notification":
      case "message":
      case "recovered":
      case "missed":
      case "room_joined":
      case "room_left":
      case "pong":
      case "authenticated":
      case "ack":
      case "response":
      case "welcome":
      case "presence":
      case "presence_changed":
      case "user_connected":
      case "user_disconnected":
      case "error":
        break;
    }
  }
  return {
    ...state,
    ...countEvents(state, events, now),
    orders: withoutOldest(orders.finish()),
    clients: clients.finish(),
    inventory: inventory.finish(),
  };
}

function countEvents(state: LiveData, events: readonly DashboardEvent[], now: number) {
  const entries: LogEntry[] = [];
  let { eventCount } = state;
  for (const event of events) {
    if (!event.isKept && !isAnswer(event)) {
      eventCount++;
      entries.push({ number: eventCount, at: now, event });
    }
  }
  const newest = entries.reverse().slice(0, MOST_LOG_ENTRIES);
  return {
    eventCount,
    rateNow: state.rateNow + eventCount - state.eventCount,
    log: [...newest, ...state.log.slice(0, MOST_LOG_ENTRIES - newest.length)],
  };
}

/** Messages that are only for this connection are not logged. */
function isAnswer({ type }: DashboardEvent): boolean {
  return ANSWERS.has(type);
}

function withoutOldest(orders: Resource<number, Order>): Resource<number, Order> {
  if (orders.rows.size <= MOST_ORDERS) {
    return orders;
  }
  const newest = [...orders.rows].sort(([a], [b]) => b - a).slice(0, MOST_ORDERS);
  return { ...orders, rows: new Map(newest) };
}
