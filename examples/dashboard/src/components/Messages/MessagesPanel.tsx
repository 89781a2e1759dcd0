import { memo } from "react";
import { Panel } from "../Layout/Panel";
import { NotificationForm } from "./NotificationForm";
import { RoomChat } from "./RoomChat";

export const MessagesPanel = memo(function MessagesPanel() {
  return (
    <Panel title="Messages">
      <NotificationForm />
      <hr />
      <RoomChat />
    </Panel>
  );
});
