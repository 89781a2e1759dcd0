import { Dashboard } from "./components/Layout/Dashboard";
import { PanelBoundary } from "./components/Layout/PanelBoundary";
import { ThemeToggle } from "./components/Layout/ThemeToggle";
import { ConnectionStatus } from "./components/WebSocket/ConnectionStatus";
import { NotificationToast } from "./components/WebSocket/NotificationToast";
import { TopicRooms } from "./components/WebSocket/TopicRooms";
import { webSocketOptions } from "./config";
import { LiveDataProvider } from "./contexts/LiveDataContext";
import { WebSocketProvider } from "./contexts/WebSocketContext";

const options = webSocketOptions(window.location);

export function App() {
  return (
    <PanelBoundary title="Orders, live">
      <WebSocketProvider options={options}>
        <TopicRooms />
        <a className="skip-link" href="#content">Skip to the content</a>
        <header className="page-header">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <h1>Orders, live</h1>
          <ConnectionStatus />
          <ThemeToggle />
        </header>
        <LiveDataProvider>
          <div id="content" tabIndex={-1}>
            <Dashboard />
          </div>
        </LiveDataProvider>
        <NotificationToast />
      </WebSocketProvider>
    </PanelBoundary>
  );
}
