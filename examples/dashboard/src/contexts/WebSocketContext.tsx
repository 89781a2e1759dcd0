/** Provides one client, and its state, to all components below. */
import { createContext, use, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import type { DashboardClient, DashboardEvents } from "../events";
import { WebSocketClient, type ConnectionState, type WebSocketClientOptions } from "@ws-manager/client";

export interface WebSocketContextValue {
  client: DashboardClient;
  state: ConnectionState;
}

const WebSocketContext = createContext<WebSocketContextValue | null>(null);

interface WebSocketProviderProps {
  /** Read only once: a client keeps its options. */
  options: WebSocketClientOptions<DashboardEvents>;
  children: ReactNode;
}

export function WebSocketProvider({ options, children }: WebSocketProviderProps) {
  const [client] = useState(() => new WebSocketClient(options));
  const state = useSyncExternalStore(client.subscribe, client.getState);

  useEffect(() => {
    client.connect();
    return () => client.close();
  }, [client]);

  return <WebSocketContext value={{ client, state }}>{children}</WebSocketContext>;
}

export function useWebSocketContext(): WebSocketContextValue {
  const value = use(WebSocketContext);
  if (value === null) {
    throw new Error("useWebSocketContext() needs a <WebSocketProvider> above");
  }
  return value;
}
