/** What the dashboard shows, and how it begins. */
import type { Statistics } from "../api";
import type { Client, InventoryItem, Order } from "../model";
import type { AnyEvent } from "../websocket/types";
import { emptyResource, type Resource } from "./resource";

/** Bounds of what the page keeps, however long it is open and however much arrives. */
export const MOST_ORDERS = 1000;
export const MOST_LOG_ENTRIES = 1000;
export const MOST_ARRIVALS = 100;
export const RATE_SECONDS = 60;

/** How long a row is marked after it changed. */
export const MARK_MS = 3000;

export interface LogEntry {
  /** Rises with each event, the page's own count. */
  number: number;
  at: number;
  event: AnyEvent;
}

/** A connection that was opened while this page was looking. */
export interface Arrival {
  connectionId: string;
  userId: string | null;
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
  /** Events in the second that is under way. */
  rateNow: number;
  arrivals: readonly Arrival[];
  statistics: Statistics | null;
  statisticsMessage: string;
  /** The time of the latest tick: what changed shortly before it is marked. */
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
    arrivals: [],
    statistics: null,
    statisticsMessage: "",
    now: 0, // nothing is marked before the first tick, since nothing has changed
  };
}

export function isMarked(row: { change: string | null; changedAt: number }, now: number): boolean {
  return row.change !== null && row.changedAt > now - MARK_MS && now > 0;
}
