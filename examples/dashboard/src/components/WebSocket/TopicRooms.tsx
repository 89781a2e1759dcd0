/** Joins the rooms to which the backend sends its events when it runs with --topic-rooms. */
import type { RoomOptions, WebSocketRequestError } from "@ws-manager/client";
import { showToast, useRoom } from "@ws-manager/react";
import { useEffect } from "react";
import { TOPIC_ROOMS } from "../../config";

export function TopicRooms() {
  return TOPIC_ROOMS.map(([name, options]) => <TopicRoom key={name} name={name} options={options} />);
}

function TopicRoom({ name, options }: { name: string; options: RoomOptions }) {
  const { error } = useRoom(name, options);

  useEffect(() => {
    if (error !== null && isWorthTelling(error)) {
      showToast({ severity: "error", message: `Cannot receive events of ${name}: ${error.message}` });
    }
  }, [name, error]);

  return null;
}

/** The connection's status reports a lost or refused connection. */
function isWorthTelling({ code }: WebSocketRequestError): boolean {
  return code !== "closed" && code !== "refused" && code !== "timeout";
}
