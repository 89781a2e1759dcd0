/** Describes an event in a sentence. */
import type { DashboardEvent } from "../../events";
import { formatMoney, formatNumber } from "../../lib/format";

export function describeEvent(event: DashboardEvent): string {
  switch (event.type) {
    case "order_created":
      return `Order #${event.data.id} by ${event.data.client_name}, ${formatMoney(event.data.total_cents)}`;
    case "order_updated":
      return `Order #${event.data.id} is now ${formatMoney(event.data.total_cents)}`;
    case "order_status_changed":
      return `Order #${event.data.id} changed from ${event.data.old_status} to ${event.data.new_status}`;
    case "client_created":
    case "client_updated":
      return `${event.data.name}, ${event.data.email}`;
    case "inventory_updated":
      return `${event.data.name}: ${formatNumber(event.data.quantity)} in stock`;
    case "stock_low":
      return `${event.data.name}: only ${formatNumber(event.data.quantity)} left`;
    case "notification":
      return `${event.data.severity}: ${event.data.message}`;
    case "user_connected":
    case "user_disconnected":
      return `${event.data.user_id ?? "Anonymous"} (${event.data.connection_id})`;
    case "message":
      return `${event.userId ?? "Anonymous"} in ${event.room ?? "no room"}: ${event.data.text}`;
    case "error":
      return `${event.data.code}: ${event.data.message}`;
    case "recovered":
      return event.data.complete ? "Nothing was missed" : "Some events were missed";
    case "missed":
      return event.data.reason === "rooms"
        ? `Events in ${event.data.rooms.join(", ")} were missed; reloading`
        : "Events were missed; reloading";
    case "welcome":
    case "room_joined":
    case "room_left":
    case "pong":
    case "authenticated":
    case "ack":
    case "response":
    case "presence":
    case "presence_changed":
      return "";
  }
}
