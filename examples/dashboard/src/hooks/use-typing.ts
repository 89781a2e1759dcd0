/** Who else is typing in a room, and telling it that this page's user is. */
import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { DashboardEvents } from "../events";
import { createTypists, TypingSender } from "../lib/typing";
import type { Room } from "@ws-manager/client";

/** The room must have been entered with its presence. */
export function useTypists(room: Room<DashboardEvents>, self: string | null): readonly string[] {
  const typists = useMemo(() => createTypists(room, self), [room, self]);
  return useSyncExternalStore(typists.subscribe, typists.get);
}

export function useTypingSender(room: Room<DashboardEvents>): TypingSender {
  const sender = useMemo(() => new TypingSender((state) => room.setState(state)), [room]);
  useEffect(() => () => sender.done(), [sender]);
  return sender;
}
