/** The events of this application, each with its schema. */
import * as v from "valibot";
import type { AnyEvent, EventsOf, WebSocketClient } from "@ws-manager/client";
import {
  clientSchema,
  inventoryItemSchema,
  orderSchema,
  orderStatusSchema,
  severitySchema,
} from "./lib/model";

export const eventSchemas = {
  order_created: orderSchema,
  order_updated: orderSchema,
  order_status_changed: v.object({
    ...orderSchema.entries,
    old_status: orderStatusSchema,
    new_status: orderStatusSchema,
  }),
  client_created: clientSchema,
  client_updated: clientSchema,
  inventory_updated: inventoryItemSchema,
  stock_low: inventoryItemSchema,
  notification: v.object({ message: v.string(), severity: severitySchema }),
  /** Between the members of a room. The nonce is the sender's own name for the message. */
  message: v.object({ text: v.string(), nonce: v.optional(v.string()) }),
};

export type DashboardEvents = EventsOf<typeof eventSchemas>;

declare module "@ws-manager/react" {
  interface Register {
    events: DashboardEvents;
  }
}

export type DashboardEvent = AnyEvent<DashboardEvents>;
export type DashboardClient = WebSocketClient<DashboardEvents>;
