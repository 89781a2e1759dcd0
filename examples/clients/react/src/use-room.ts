/** Holds a room while a component is mounted. */
import { WebSocketRequestError, type Room, type RoomOptions } from "@ws-manager/client";
import { useMemo, useSyncExternalStore } from "react";
import { useClient } from "./provider.js";
import type { RegisteredClient, RegisteredEvents } from "./register.js";

export interface RoomState {
  /** This component's hold on the room, to send to it and to set its state; null before the component
   * is mounted, and on a server. Do not leave it: the component does so when it unmounts. */
  room: Room<RegisteredEvents> | null;
  /**
   * "joined" also while a connection is lost, because the room is joined again with the next one.
   * "refused": the server does not let the component into the room, or has taken the client out of it.
   */
  status: "joining" | "joined" | "refused";
  /** Why the room is refused, or could not be joined for now: then the client tries again. */
  error: WebSocketRequestError | null;
}

const BEFORE_MOUNT: RoomState = { room: null, status: "joining", error: null };

/** Several components may hold the same room; it is left when the last of them unmounts. */
export function useRoom(name: string, options: RoomOptions = {}): RoomState {
  const client = useClient("useRoom");
  const { presence, state, last } = options;
  const store = useMemo(
    () => createStore(client, name, { presence, state, last }),
    [client, name, presence, state, last],
  );
  return useSyncExternalStore(store.subscribe, store.get, () => BEFORE_MOUNT);
}

function createStore(client: RegisteredClient, name: string, options: RoomOptions) {
  let current = BEFORE_MOUNT;

  const subscribe = (listener: () => void) => {
    const room = client.room(name, options);
    const set = (status: RoomState["status"], error: WebSocketRequestError | null) => {
      const isNew = current.status !== status || current.error !== error;
      // A promise may settle after the component has left the room.
      if (isNew && current.room === room) {
        current = { room, status, error };
        listener();
      }
    };
    current = { room, status: "joining", error: null };

    room.joined.then(
      () => set("joined", null),
      (error: unknown) => {
        if (error instanceof WebSocketRequestError) {
          set(isFinal(error) ? "refused" : "joining", error);
        }
      },
    );
    const stopJoined = client.on("room_joined", (data) => {
      // One that was refused to this holder may be joined by another.
      if (data.room === name && current.status === "joining") {
        set("joined", null);
      }
    });
    const stopLeft = client.on("room_left", (data, event) => {
      // Without a ref, no holder has asked for it.
      if (data.room === name && event.ref === null) {
        const message = `the server has taken this client out of the room ${name}`;
        set("refused", new WebSocketRequestError("not_member", message));
      }
    });
    return () => {
      current = BEFORE_MOUNT;
      stopJoined();
      stopLeft();
      room.leave().catch(() => undefined); // the component is no longer in it, answered or not
    };
  };
  return { subscribe, get: () => current };
}

/** Whether the client does not try again by itself, even with the next connection. */
function isFinal({ code }: WebSocketRequestError): boolean {
  return !["closed", "refused", "timeout", "rate_limited", "failed"].includes(code);
}
