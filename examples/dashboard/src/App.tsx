import type { CSSProperties } from "react";
import { ConnectionStatus, NotificationToast, WebSocketProvider } from "@ws-manager/react";
import { Dashboard } from "./components/Layout/Dashboard";
import { PanelBoundary } from "./components/Layout/PanelBoundary";
import { ThemeToggle } from "./components/Layout/ThemeToggle";
import { TopicRooms } from "./components/WebSocket/TopicRooms";
import { webSocketOptions } from "./config";
import { LiveDataProvider } from "./contexts/LiveDataContext";
import { toToast } from "./lib/toasts";

/** The page's own colours, which follow its theme. */
const toastStyle = {
  "--normal-bg": "var(--surface)",
  "--normal-border": "var(--line-strong)",
  "--normal-text": "var(--text)",
  "--border-radius": "10px",
} as CSSProperties;

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
          <ConnectionStatus unstyled />
          <ThemeToggle />
        </header>
        <LiveDataProvider>
          <div id="content" tabIndex={-1}>
            <Dashboard />
          </div>
        </LiveDataProvider>
        <NotificationToast toToast={toToast} style={toastStyle} />
      </WebSocketProvider>
    </PanelBoundary>
  );
}
