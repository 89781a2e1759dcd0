/** An application without a framework, and without events of its own. */
import { WebSocketClient, type WebSocketEvent } from "@ws-manager/client";

const client = new WebSocketClient({ url: "ws://server.invalid/ws", schemas: {}, WebSocket: EventTarget });
client.on("welcome", (data, event: WebSocketEvent<object, "welcome">) => {
  const connectionId: string = data.connection_id;
  console.log(connectionId, event.id);
});
console.log(client.getState().status);
