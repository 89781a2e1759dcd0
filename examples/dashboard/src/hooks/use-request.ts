/** A request that a user started: whether it is running, and its error. */
import { useState } from "react";
import { asError, type ApiError } from "../lib/api";

export interface RequestState {
  isPending: boolean;
  error: ApiError | null;
  /** Resolves to null, and sets `error`, when the request failed. */
  run: <T>(start: () => Promise<T>) => Promise<T | null>;
  clearError: () => void;
}

export function useRequest(): RequestState {
  const [isPending, setPending] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);

  return {
    isPending,
    error,
    clearError: () => setError(null),
    run: async (start) => {
      setPending(true);
      setError(null);
      try {
        return await start();
      } catch (caught) {
        setError(asError(caught));
        return null;
      } finally {
        setPending(false);
      }
    },
  };
}
