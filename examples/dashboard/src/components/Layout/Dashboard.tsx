/** The page below its header. Each part subscribes only to the data that it shows, and is rendered
 * only when these change. */
import { useLiveData } from "../../contexts/LiveDataContext";
import { useWebSocketContext } from "../../contexts/WebSocketContext";
import { ClientsPanel } from "../Clients/ClientsPanel";
import { EventLog } from "../Events/EventLog";
import { InventoryPanel } from "../Inventory/InventoryPanel";
import { MessagesPanel } from "../Messages/MessagesPanel";
import { OrderForm } from "../Orders/OrderForm";
import { OrdersPanel } from "../Orders/OrdersPanel";
import { OnlinePanel } from "../Presence/OnlinePanel";
import { Summary } from "../Summary/Summary";

export function Dashboard() {
  const { state: connection } = useWebSocketContext();
  const { actions, ...live } = useLiveData();
  const { orders, clients, inventory, now } = live;

  return (
    <main className="dashboard" data-event-count={live.eventCount}>
      <Summary orders={orders} inventory={inventory} statistics={live.statistics} rate={live.rate} />
      <OrdersPanel orders={orders} now={now} actions={actions} />
      <div className="side">
        <OrderForm clients={clients} inventory={inventory} placeOrder={actions.placeOrder} />
        <InventoryPanel inventory={inventory} now={now} actions={actions} />
        <OnlinePanel
          connection={connection}
          arrivals={live.arrivals}
          statistics={live.statistics}
          statisticsMessage={live.statisticsMessage}
        />
        <ClientsPanel clients={clients} now={now} actions={actions} />
        <MessagesPanel />
      </div>
      <EventLog log={live.log} eventCount={live.eventCount} />
    </main>
  );
}
