/** What the package's users import. */
"use client";
export { ConnectionStatus, type ConnectionStatusProps } from "./connection-status.js";
export { NotificationToast, notificationToast, type NotificationToastProps } from "./notification-toast.js";
export {
  useConnectionState,
  useWebSocketContext,
  WebSocketProvider,
  type WebSocketContextValue,
  type WebSocketProviderProps,
} from "./provider.js";
export type {
  Register,
  RegisteredClient,
  RegisteredEvent,
  RegisteredEvents,
  RegisteredEventType,
} from "./register.js";
export { showToast, type Severity, type Toast } from "./toasts.js";
export { useLastEvent } from "./use-last-event.js";
export { usePresence } from "./use-presence.js";
export { useRoom, type RoomState } from "./use-room.js";
export { useWebSocket } from "./use-websocket.js";
