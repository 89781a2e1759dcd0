/** Provides one client, which is connected while the provider is mounted, to all components below. */
import { WebSocketClient, type ConnectionState, type WebSocketClientOptions } from "@ws-manager/client";
import { createContext, useContext, useEffect, useState, useSyncExternalStore, type ReactNode } from "react";
import type { RegisteredClient, RegisteredEvents } from "./register.js";
import { optionsForServer } from "./server-rendering.js";

/** The client alone: a change of the connection's state renders only the components that use it. */
const ClientContext = createContext<RegisteredClient | null>(null);

export interface WebSocketProviderProps {
  /** Read only once: a client keeps its options. */
  options: WebSocketClientOptions<RegisteredEvents>;
  children?: ReactNode;
}

export function WebSocketProvider({ options, children }: WebSocketProviderProps) {
  const [client] = useState(
    () => new WebSocketClient(typeof window === "undefined" ? optionsForServer(options) : options),
  );

  useEffect(() => {
    client.connect();
    return () => client.close();
  }, [client]);

  return <ClientContext.Provider value={client}>{children}</ClientContext.Provider>;
}

export interface WebSocketContextValue {
  client: RegisteredClient;
  state: ConnectionState;
}

/** The provider's client, and the state of its connection. */
export function useWebSocketContext(): WebSocketContextValue {
  const client = useClient("useWebSocketContext");
  return { client, state: useStateOf(client) };
}

/** The state of the connection. On a server, where nothing connects, it is "connecting". */
export function useConnectionState(): ConnectionState {
  return useStateOf(useClient("useConnectionState"));
}

/** The client, for the hook of this name. */
export function useClient(hook: string): RegisteredClient {
  const client = useContext(ClientContext);
  if (client === null) {
    throw new Error(`${hook}() needs a <WebSocketProvider> above`);
  }
  return client;
}

/** What a page shows first: the provider connects as soon as it is mounted. */
const BEFORE_MOUNT: ConnectionState = { status: "connecting" };

function useStateOf(client: RegisteredClient): ConnectionState {
  return useSyncExternalStore(client.subscribe, client.getState, () => BEFORE_MOUNT);
}
