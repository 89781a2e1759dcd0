/** Who is in a room. The component is in it, too, until it unmounts. */
import { useMemo, useSyncExternalStore } from "react";
import { useWebSocketContext } from "../contexts/WebSocketContext";
import type { DashboardClient } from "../events";
import type { Presence } from "@ws-manager/client";

/** null while it is unknown, for example without a connection. */
export function usePresence(room: string): Presence | null {
  const { client } = useWebSocketContext();
  const store = useMemo(() => createStore(client, room), [client, room]);
  return useSyncExternalStore(store.subscribe, store.get);
}

function createStore(client: DashboardClient, name: string) {
  let get = (): Presence | null => null;
  return {
    get: () => get(),
    subscribe: (listener: () => void) => {
      const room = client.room(name, { presence: true });
      get = room.getPresence;
      room.subscribePresence(listener);
      return () => {
        get = () => null;
        room.leave().catch(() => undefined);
      };
    },
  };
}
