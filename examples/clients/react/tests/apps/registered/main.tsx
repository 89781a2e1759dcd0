/** An application that has registered its events, rendered on a server. */
import type { StandardSchema } from "@ws-manager/client";
import {
  ConnectionStatus,
  NotificationToast,
  useLastEvent,
  useRoom,
  useWebSocket,
  WebSocketProvider,
} from "@ws-manager/react";
import { renderToString } from "react-dom/server";

interface AppEvents {
  price_changed: { sku: string; cents: number };
}

declare module "@ws-manager/react" {
  interface Register {
    events: AppEvents;
  }
}

const price: StandardSchema<AppEvents["price_changed"]> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => ({ value: value as AppEvents["price_changed"] }),
  },
};

function Prices() {
  const last = useLastEvent("price_changed");
  const { status } = useRoom("prices", { state: true });
  useWebSocket("price_changed", ({ sku, cents }) => {
    const name: string = sku;
    // @ts-expect-error a price is a number
    const text: string = cents;
    console.log(name, text);
  });
  // @ts-expect-error no such event is registered
  useWebSocket("prise_changed", () => undefined);
  return <p>{last === null ? status : last.data.cents}</p>;
}

const page = (
  <WebSocketProvider options={{ url: "/ws", schemas: { price_changed: price } }}>
    <ConnectionStatus className="mine" style={{ margin: 0 }} />
    <NotificationToast theme="dark" />
    <Prices />
  </WebSocketProvider>
);
console.log(renderToString(page));
