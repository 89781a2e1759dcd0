/** Joins the rooms to which the backend sends its events when it runs with --topic-rooms. */
import { useEffect } from "react";
import { TOPIC_ROOMS } from "../../config";
import { useWebSocketContext } from "../../contexts/WebSocketContext";
import { showToast } from "../../lib/toasts";
import { WebSocketRequestError } from "@ws-manager/client";

export function TopicRooms() {
  const { client } = useWebSocketContext();

  useEffect(() => {
    const rooms = TOPIC_ROOMS.map(([name, options]) => client.room(name, options));
    for (const { name, joined } of rooms) {
      joined.catch((error: unknown) => {
        if (error instanceof WebSocketRequestError && isWorthTelling(error)) {
          showToast("error", `Cannot receive events of ${name}: ${error.message}`);
        }
      });
    }
    return () => rooms.forEach((room) => void room.leave().catch(() => undefined));
  }, [client]);

  return null;
}

/** The connection's status reports a lost or refused connection. */
function isWorthTelling({ code }: WebSocketRequestError): boolean {
  return code !== "closed" && code !== "refused" && code !== "timeout";
}
