/** The schemas of the server's messages. Everything that arrives is validated by them. */
import * as v from "valibot";
import {
  clientSchema,
  inventoryItemSchema,
  orderSchema,
  orderStatusSchema,
  severitySchema,
} from "../model";

/** What every message has; the schema of its type validates `data`. */
export const envelopeSchema = v.object({
  type: v.string(),
  data: v.optional(v.unknown(), null),
  id: v.optional(v.string()),
  timestamp: v.optional(v.string()),
  user_id: v.nullish(v.string()),
  room: v.optional(v.string()),
  ref: v.optional(v.union([v.string(), v.number()])),
  state: v.optional(v.boolean(), false),
  replayed: v.optional(v.boolean(), false),
});

const presenceSchema = v.object({
  connection_id: v.string(),
  user_id: v.nullable(v.string()),
});

const roomSchema = v.object({ room: v.string(), id: v.string() });

export const builtInSchemas = {
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
  user_connected: presenceSchema,
  user_disconnected: presenceSchema,

  // The protocol's own messages: answers, and those at the start and the end of a recovery.
  welcome: v.object({
    connection_id: v.string(),
    user_id: v.nullable(v.string()),
    id: v.string(),
    ping_interval_ms: v.pipe(v.number(), v.minValue(0)),
  }),
  recovered: v.object({ complete: v.boolean(), count: v.number(), id: v.string() }),
  room_joined: roomSchema,
  room_left: roomSchema,
  pong: v.object({ id: v.string() }),
  ack: v.unknown(),
  error: v.object({ code: v.string(), message: v.string() }),
};
