/** Some events of the example backend, registered as an application registers its own. */
import type { EventsOf } from "@ws-manager/client";
import * as v from "valibot";

export const schemas = {
  notification: v.object({
    message: v.string(),
    severity: v.picklist(["info", "success", "warning", "error"]),
  }),
  stock_low: v.object({ sku: v.string(), name: v.string(), quantity: v.number() }),
};

export type TestEvents = EventsOf<typeof schemas>;

declare module "@ws-manager/react" {
  interface Register {
    events: TestEvents;
  }
}
