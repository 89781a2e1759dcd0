/** Who is in a room, or connected at all. */
import type { Presence } from "@ws-manager/client";
import { useMemo, useSyncExternalStore } from "react";
import { useClient } from "./provider.js";
import type { RegisteredClient } from "./register.js";

/**
 * Who is in this room, which the component holds until it unmounts; without a room, who is connected
 * to the service. null while it is unknown, for example without a connection, or if the server does
 * not allow this client to know it.
 */
export function usePresence(room?: string): Presence | null {
  const client = useClient("usePresence");
  const store = useMemo(
    () => (room === undefined ? serviceStore(client) : roomStore(client, room)),
    [client, room],
  );
  return useSyncExternalStore(store.subscribe, store.get, () => null);
}

function serviceStore(client: RegisteredClient) {
  return { get: client.getPresence, subscribe: client.subscribePresence };
}

function roomStore(client: RegisteredClient, name: string) {
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
