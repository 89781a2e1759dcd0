/** What an application imports that has its own components. */
export { useWebSocket, WebSocketProvider } from "@ws-manager/react";
