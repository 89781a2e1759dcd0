/** The dashboard's data, and their initial state. */
import type { DashboardEvent } from "../../events";
import type { Statistics } from "../api";
import type { Client, InventoryItem, Order } from "../model";
import { emptyResource, type Resource } from "./resource";

/** Bounds of what the page keeps, however long it is open and however much arrives. */
export const MOST_ORDERS = 1000;
export const MOST_LOG_ENTRIES = 1000;
export const RATE_SECONDS = 60;

/** How long a row is marked after a change. */
export const MARK_MS = 3000;

export interface LogEntry {
  /** The page's own number of the event; it rises by one. */
  number: number;
  at: number;
  event: DashboardEvent;
}

export interface LiveData {
  orders: Resource<number, Order>;
  clients: Resource<number, Client>;
  inventory: Resource<string, InventoryItem>;
  /** Newest first. */
  log: readonly LogEntry[];
  eventCount: number;
  /** Events in each of the latest full seconds, oldest first. */
  rate: readonly number[];
  /** Events in the current second. */
  rateNow: number;
  statistics: Statistics | null;
  statisticsMessage: string;
  /** The time of the latest tick: changes shortly before it are marked. */
  now: number;
}

export function initialLiveData(): LiveData {
  return {
    orders: emptyResource(),
    clients: emptyResource(),
    inventory: emptyResource(),
    log: [],
    eventCount: 0,
    rate: Array<number>(RATE_SECONDS).fill(0),
    rateNow: 0,
    statistics: null,
    statisticsMessage: "",
    now: 0, // nothing has changed yet, so nothing is marked before the first tick
  };
}

export function isMarked(row: { change: string | null; changedAt: number }, now: number): boolean {
  return row.change !== null && row.changedAt > now - MARK_MS && now > 0;
}
