/** Keeps the rows of a table in place while the mouse is over it. */
import { useState } from "react";
import type { PointerEvent } from "react";

/**
 * New rows would move the others away from under the mouse, and a click would hit the wrong button.
 * So new rows wait until the mouse has left, and are counted meanwhile.
 */
export function useHeldRows<Key>(keys: readonly Key[]) {
  const [held, setHeld] = useState<readonly Key[] | null>(null);
  const known = new Set(held ?? []);
  const waiting = held === null ? 0 : keys.filter((key) => !known.has(key)).length;

  return {
    keys: held ?? keys,
    waiting,
    release: () => setHeld(null),
    handlers: {
      onPointerEnter: (event: PointerEvent) => {
        if (event.pointerType === "mouse") setHeld(keys);
      },
      onPointerLeave: () => setHeld(null),
    },
  };
}
