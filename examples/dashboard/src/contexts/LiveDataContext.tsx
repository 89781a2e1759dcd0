/** The dashboard's data for all components below: loading them, applying events, and saving
 * changes. */
import { useWebSocketContext } from "@ws-manager/react";
import { createContext, use, useCallback, useEffect, useMemo, useReducer, type ReactNode } from "react";
import type { DashboardEvent } from "../events";
import * as api from "../lib/api";
import { EventBatch } from "../lib/live-data/event-batch";
import { reduceLiveData } from "../lib/live-data/reducer";
import { initialLiveData, type LiveData } from "../lib/live-data/state";
import type { OrderStatus } from "../lib/model";

export interface LiveDataActions {
  reload: () => void;
  /** These reject with an ApiError. */
  placeOrder: (draft: api.OrderDraft) => Promise<number>;
  setOrderStatus: (id: number, status: OrderStatus) => Promise<void>;
  addClient: (draft: api.ClientDraft) => Promise<string>;
  setQuantity: (sku: string, quantity: number) => Promise<void>;
}

/** After a presence event, others often follow: one request for the statistics serves all of them.
 * */
const STATISTICS_DELAY_MS = 300;

const LiveDataContext = createContext<(LiveData & { actions: LiveDataActions }) | null>(null);

export function LiveDataProvider({ children }: { children: ReactNode }) {
  const { client } = useWebSocketContext();
  const [state, dispatch] = useReducer(reduceLiveData, null, initialLiveData);

  const loadStatistics = useCallback(async () => {
    try {
      dispatch({ type: "statistics_loaded", statistics: await api.getStatistics() });
    } catch (error) {
      dispatch({ type: "statistics_failed", message: api.asError(error).message });
    }
  }, []);

  const reload = useCallback(() => {
    const startedAt = Date.now();
    const load = async <T,>(
      resource: "orders" | "clients" | "inventory",
      list: () => Promise<T>,
      take: (list: T) => void,
    ) => {
      try {
        take(await list());
      } catch (error) {
        dispatch({ type: "load_failed", resource, message: api.asError(error).message });
      }
    };
    void load("orders", api.listOrders, (orders) =>
      dispatch({ type: "orders_loaded", orders, startedAt, now: Date.now() }),
    );
    void load("clients", api.listClients, (clients) =>
      dispatch({ type: "clients_loaded", clients, startedAt, now: Date.now() }),
    );
    void load("inventory", api.listInventory, (inventory) =>
      dispatch({ type: "inventory_loaded", inventory, startedAt, now: Date.now() }),
    );
    void loadStatistics();
  }, [loadStatistics]);

  // Loads at once, because REST may work where WebSocket does not; with the first connection, which
  // receives only later events; and whenever events were missed. A connection that recovered
  // receives them.
  useEffect(() => {
    reload();
    const stopFirst = client.on("welcome", () => {
      stopFirst();
      reload();
    });
    const stopMissed = client.on("missed", reload);
    return () => {
      stopFirst();
      stopMissed();
    };
  }, [client, reload]);

  // Presence events are not among the recovered ones.
  useEffect(() => client.on("welcome", () => void loadStatistics()), [client, loadStatistics]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const batch = new EventBatch<DashboardEvent>((events) =>
      dispatch({ type: "events", events, now: Date.now() }),
    );
    const stop = client.onAny((event) => {
      batch.add(event);
      if (concernsStatistics(event)) {
        timer ??= setTimeout(() => {
          timer = undefined;
          void loadStatistics();
        }, STATISTICS_DELAY_MS);
      }
    });
    return () => {
      stop();
      batch.stop();
      clearTimeout(timer);
    };
  }, [client, loadStatistics]);

  useEffect(() => {
    const timer = setInterval(() => dispatch({ type: "tick", now: Date.now() }), 1000);
    return () => clearInterval(timer);
  }, []);

  // Changes that were saved here are shown when the request is answered: the event may be late, or
  // never arrive.
  const actions = useMemo<LiveDataActions>(
    () => ({
      reload,
      placeOrder: async (draft) => {
        const order = await api.createOrder(draft);
        dispatch({ type: "order_saved", order, change: "created", now: Date.now() });
        return order.id;
      },
      setOrderStatus: async (id, status) => {
        const order = await api.setOrderStatus(id, status);
        dispatch({ type: "order_saved", order, change: "updated", now: Date.now() });
      },
      addClient: async (draft) => {
        const saved = await api.createClient(draft);
        dispatch({ type: "client_saved", client: saved, now: Date.now() });
        return saved.name;
      },
      setQuantity: async (sku, quantity) => {
        const item = await api.setQuantity(sku, quantity);
        dispatch({ type: "item_saved", item, now: Date.now() });
      },
    }),
    [reload],
  );

  const value = useMemo(() => ({ ...state, actions }), [state, actions]);
  return <LiveDataContext value={value}>{children}</LiveDataContext>;
}

function concernsStatistics({ type }: DashboardEvent): boolean {
  return (
    type === "user_connected" ||
    type === "user_disconnected" ||
    type === "presence_changed" ||
    type === "room_joined" ||
    type === "room_left"
  );
}

export function useLiveData() {
  const value = use(LiveDataContext);
  if (value === null) {
    throw new Error("useLiveData() needs a <LiveDataProvider> above");
  }
  return value;
}
