/** How events, loads and the passing of time change the dashboard's data. */
import type { Statistics } from "../api";
import type { Client, InventoryItem, Order } from "../model";
import type { AnyEvent } from "../websocket/types";
import { loadResource, ResourceDraft, saveRow, type Change, type Resource } from "./resource";
import {
  MOST_ARRIVALS,
  MOST_LOG_ENTRIES,
  MOST_ORDERS,
  type Arrival,
  type LiveData,
  type LogEntry,
} from "./state";

export type LiveDataAction =
  | { type: "events"; events: readonly AnyEvent[]; now: number }
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

function applyEvents(state: LiveData, events: readonly AnyEvent[], now: number): LiveData {
  const orders = new ResourceDraft(state.orders, orderKind);
  const clients = new ResourceDraft(state.clients, clientKind);
  const inventory = new ResourceDraft(state.inventory, itemKind);
  let arrivals = state.arrivals;

  for (const event of events) {
    switch (event.type) {
      case "order_created":
        orders.put(event.data, "created", now);
        break;
      case "order_updated":
      case "order_status_changed":
        orders.put(event.data, "updated", now);
        break;
      case "client_created":
        clients.put(event.data, "created", now);
        break;
      case "client_updated":
        clients.put(event.data, "updated", now);
        break;
      case "inventory_updated":
        inventory.put(event.data, "updated", now);
        break;
      case "user_connected":
      case "user_disconnected":
      case "welcome":
        arrivals = followPresence(arrivals, event);
        break;
      case "stock_low": // follows an inventory_updated with the same content
      case "notification":
      case "message":
      case "recovered":
      case "missed":
      case "room_joined":
      case "room_left":
      case "pong":
      case "ack":
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
    arrivals,
  };
}

type PresenceEvent = Extract<
  AnyEvent,
  { type: "user_connected" | "user_disconnected" | "welcome" }
>;

function followPresence(arrivals: readonly Arrival[], event: PresenceEvent): readonly Arrival[] {
  switch (event.type) {
    case "user_connected": {
      const { connection_id, user_id } = event.data;
      const arrival = { connectionId: connection_id, userId: user_id };
      return [arrival, ...arrivals].slice(0, MOST_ARRIVALS);
    }
    case "user_disconnected":
      return arrivals.filter(({ connectionId }) => connectionId !== event.data.connection_id);
    case "welcome":
      return []; // presence in between is unknown
  }
}

function countEvents(state: LiveData, events: readonly AnyEvent[], now: number) {
  const entries: LogEntry[] = [];
  let { eventCount } = state;
  for (const event of events) {
    if (!isAnswer(event)) {
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
function isAnswer({ type }: AnyEvent): boolean {
  return (
    type === "pong" ||
    type === "ack" ||
    type === "room_joined" ||
    type === "room_left" ||
    type === "welcome"
  );
}

function withoutOldest(orders: Resource<number, Order>): Resource<number, Order> {
  if (orders.rows.size <= MOST_ORDERS) {
    return orders;
  }
  const newest = [...orders.rows].sort(([a], [b]) => b - a).slice(0, MOST_ORDERS);
  return { ...orders, rows: new Map(newest) };
}
