/** The page below its header. Each part subscribes only to the data that it shows, and is rendered
 * only when these change; if one fails, the others stay. */
import { useWebSocketContext } from "@ws-manager/react";
import { useLiveData } from "../../contexts/LiveDataContext";
import { ClientsPanel } from "../Clients/ClientsPanel";
import { EventLog } from "../Events/EventLog";
import { InventoryPanel } from "../Inventory/InventoryPanel";
import { MessagesPanel } from "../Messages/MessagesPanel";
import { OrderForm } from "../Orders/OrderForm";
import { OrdersPanel } from "../Orders/OrdersPanel";
import { OnlinePanel } from "../Presence/OnlinePanel";
import { Summary } from "../Summary/Summary";
import { PanelBoundary } from "./PanelBoundary";

export function Dashboard() {
  const { state: connection } = useWebSocketContext();
  const { actions, ...live } = useLiveData();
  const { orders, clients, inventory, now } = live;

  return (
    <main className="dashboard" data-event-count={live.eventCount}>
      <PanelBoundary title="Summary" className="summary">
        <Summary orders={orders} inventory={inventory} statistics={live.statistics} rate={live.rate} />
      </PanelBoundary>
      <PanelBoundary title="Orders" className="orders-panel">
        <OrdersPanel orders={orders} now={now} actions={actions} />
      </PanelBoundary>
      <div className="side">
        <PanelBoundary title="New order">
          <OrderForm clients={clients} inventory={inventory} placeOrder={actions.placeOrder} />
        </PanelBoundary>
        <PanelBoundary title="Inventory">
          <InventoryPanel inventory={inventory} now={now} actions={actions} />
        </PanelBoundary>
        <PanelBoundary title="Online">
          <OnlinePanel
            connection={connection}
            statistics={live.statistics}
            statisticsMessage={live.statisticsMessage}
          />
        </PanelBoundary>
        <PanelBoundary title="Clients">
          <ClientsPanel clients={clients} now={now} actions={actions} />
        </PanelBoundary>
        <PanelBoundary title="Messages">
          <MessagesPanel />
        </PanelBoundary>
      </div>
      <PanelBoundary title="Events" className="log-panel">
        <EventLog log={live.log} eventCount={live.eventCount} />
      </PanelBoundary>
    </main>
  );
}
