/** The event type that this application adds: messages between the members of a room. */
import * as v from "valibot";
import type { CustomSchemas } from "./lib/websocket/types";

const roomMessageSchema = v.object({ text: v.string() });

declare module "./lib/websocket/types" {
  interface WebSocketEvents {
    message: v.InferOutput<typeof roomMessageSchema>;
  }
}

export const customSchemas: CustomSchemas = { message: roomMessageSchema };
