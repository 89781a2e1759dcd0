/** Some events of the example backend, for a client that is tested against it. */
import * as v from "valibot";
import type { EventsOf, WebSocketClient } from "../../src/index";

const orderSchema = v.object({ id: v.number(), client_name: v.string(), total_cents: v.number() });

export type Order = v.InferOutput<typeof orderSchema>;

export const schemas = {
  order_created: orderSchema,
  inventory_updated: v.object({ sku: v.string(), quantity: v.number() }),
  stock_low: v.object({ sku: v.string(), low_stock_threshold: v.number() }),
  notification: v.object({
    message: v.string(),
    severity: v.picklist(["info", "success", "warning", "error"]),
  }),
  message: v.object({ text: v.string() }),
};

export type TestEvents = EventsOf<typeof schemas>;
export type TestedClient = WebSocketClient<TestEvents>;
