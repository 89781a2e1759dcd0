/** A function that may be another one at each render, for effects that keep the first. */
import { useCallback, useInsertionEffect, useRef } from "react";

/** Returns a function that stays the same and calls the one of the newest render. */
export function useNewest<Arguments extends unknown[], Result>(
  given: (...args: Arguments) => Result,
): (...args: Arguments) => Result {
  const newest = useRef(given);
  // Before all other effects, one of which may call it. React 18 has no useEffectEvent().
  useInsertionEffect(() => {
    newest.current = given;
  });
  return useCallback((...args: Arguments) => newest.current(...args), []);
}
