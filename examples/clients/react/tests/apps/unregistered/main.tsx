/** An application that has registered no events, rendered on a server. */
import {
  ConnectionStatus,
  NotificationToast,
  useConnectionState,
  usePresence,
  useWebSocket,
  useWebSocketContext,
  WebSocketProvider,
} from "@ws-manager/react";
import { renderToString } from "react-dom/server";

function Facts() {
  const { client } = useWebSocketContext();
  const { status } = useConnectionState();
  const presence = usePresence();
  useWebSocket("welcome", ({ connection_id }) => console.log(connection_id.length));
  useWebSocket("price_changed", (data: unknown) => console.log(data));
  return <p>{`${client.getState().status} ${status} ${presence?.count ?? "?"}`}</p>;
}

const page = (
  <WebSocketProvider options={{ url: "/ws", schemas: {} }}>
    <ConnectionStatus />
    <NotificationToast
      toToast={({ type, data }) => (type === "order_created" ? { severity: "info", message: String(data) } : null)}
    />
    <Facts />
  </WebSocketProvider>
);
console.log(renderToString(page));
