/** Checks of the protocol's own messages. Everything that arrives is checked; the application's
 * events by its schemas. */
import type { ServerEvents } from "./types.js";

/** What is wrong with a message's data; null if nothing is. */
export type Check = (data: unknown) => string | null;

type Test = (value: unknown) => boolean;

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const isText = (value: unknown): value is string => typeof value === "string";
const isNumber: Test = (value) => typeof value === "number" && value >= 0;
const isFlag: Test = (value) => typeof value === "boolean";
const isTextOrNull: Test = (value) => value === null || isText(value);
const optional = (test: Test): Test => (value) => value === undefined || test(value);
const isListOf = (test: Test): Test => (value) => Array.isArray(value) && value.every(test);
const isAny: Check = () => null;

const isUser: Test = (value) => isRecord(value) && isText(value.user_id);
const isMember: Test = (value) =>
  isRecord(value) && isText(value.user_id) && isNumber(value.connections);

function fields(tests: Record<string, Test>): Check {
  return (data) => {
    if (!isRecord(data)) {
      return "data is not an object";
    }
    const wrong = Object.keys(tests).find((name) => tests[name]?.(data[name]) === false);
    return wrong === undefined ? null : `${wrong} is missing or of another type`;
  };
}

const roomAnswer = fields({ room: isText, id: isText });
const presenceEvent = fields({ connection_id: isText, user_id: isTextOrNull });

export const protocolChecks: Record<keyof ServerEvents, Check> = {
  welcome: fields({
    connection_id: isText,
    user_id: isTextOrNull,
    id: isText,
    ping_interval_ms: isNumber,
  }),
  recovered: fields({ complete: isFlag, count: isNumber, id: isText }),
  room_joined: roomAnswer,
  room_left: roomAnswer,
  pong: fields({ id: isText }),
  authenticated: fields({ id: isText }),
  ack: isAny,
  response: isAny,
  error: fields({ code: isText, message: isText }),
  presence: fields({ count: isNumber, members: optional(isListOf(isMember)) }),
  presence_changed: fields({
    count: isNumber,
    joined: optional(isListOf(isMember)),
    left: optional(isListOf(isUser)),
    changed: optional(isListOf(isMember)),
  }),
  user_connected: presenceEvent,
  user_disconnected: presenceEvent,
};
