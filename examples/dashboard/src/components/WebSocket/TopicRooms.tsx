/** Joins the rooms to which the backend sends its events when it runs with --topic-rooms. */
import { useEffect } from "react";
import { toast } from "sonner";
import { TOPIC_ROOMS } from "../../config";
import { useWebSocketContext } from "../../contexts/WebSocketContext";
import { WebSocketRequestError } from "../../lib/websocket/types";

export function TopicRooms() {
  const { client } = useWebSocketContext();

  useEffect(() => {
    for (const room of TOPIC_ROOMS) {
      client.joinRoom(room).catch((error: unknown) => {
        if (error instanceof WebSocketRequestError && isWorthTelling(error)) {
          toast.error(`Cannot receive events of ${room}: ${error.message}`, { className: "toast is-error" });
        }
      });
    }
  }, [client]);

  return null;
}

/** The connection's status reports a lost or refused connection. */
function isWorthTelling({ code }: WebSocketRequestError): boolean {
  return code !== "closed" && code !== "refused" && code !== "timeout";
}
