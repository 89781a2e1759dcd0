/** Parses the text of a frame to an event of a known type, or to a problem. */
import type { ServerRequest } from "./methods.js";
import { isRecord, isText, protocolChecks, type Check } from "./protocol.js";
import type { Issue, StandardSchema } from "./standard-schema.js";
import type { AnyEvent, Problem, Schemas } from "./types.js";

export type Parsed<Events extends object> =
  | { ok: true; event: AnyEvent<Events> }
  | { ok: true; request: ServerRequest }
  | { ok: false; problem: Problem };

export type Parse<Events extends object> = (text: unknown) => Parsed<Events>;

type Validate = (data: unknown) => { data: unknown } | { wrong: string };

export function createParse<Events extends object>(schemas: Schemas<Events>): Parse<Events> {
  const validators = new Map<string, Validate>();
  for (const [type, schema] of Object.entries<StandardSchema>(schemas)) {
    validators.set(type, bySchema(schema));
  }
  for (const [type, check] of Object.entries(protocolChecks)) {
    validators.set(type, byCheck(check));
  }

  return (text) => {
    if (!isText(text)) {
      return bad("received a message that is not text", "");
    }
    const message = parseJson(text);
    if (!isRecord(message) || !isText(message.type)) {
      return bad("received a message that is not an object with a type", text);
    }
    const { type, data } = message;
    if (type === "request") {
      return parseRequest(message, text);
    }
    const validate = validators.get(type);
    if (validate === undefined) {
      const text = `no schema for events of type "${type}"`;
      return { ok: false, problem: { kind: "unknown_type", message: text, type } };
    }
    const content = validate(data ?? null);
    if ("wrong" in content) {
      return bad(`${type}: ${content.wrong}`, text);
    }
    // The schema or check of this type has just accepted the data.
    const event = {
      type,
      data: content.data,
      id: textOrNull(message.id),
      timestamp: textOrNull(message.timestamp),
      userId: textOrNull(message.user_id),
      room: textOrNull(message.room),
      key: textOrNull(message.key),
      ref: typeof message.ref === "number" ? message.ref : textOrNull(message.ref),
      isKept: message.state === true || message.replayed === true,
    } as AnyEvent<Events>;
    return { ok: true, event };
  };
}

function parseRequest({ ref, method, data }: Record<string, unknown>, text: string) {
  return isText(method) && (isText(ref) || typeof ref === "number")
    ? { ok: true as const, request: { ref, method, data: data ?? null } }
    : bad("request: ref or method is missing", text);
}

function byCheck(check: Check): Validate {
  return (data) => {
    const wrong = check(data);
    return wrong === null ? { data } : { wrong };
  };
}

function bySchema(schema: StandardSchema): Validate {
  return (data) => {
    const result = schema["~standard"].validate(data);
    if (result instanceof Promise) {
      return { wrong: "its schema is asynchronous, and events must stay in order" };
    }
    return result.issues === undefined ? { data: result.value } : { wrong: describe(result.issues) };
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOrNull(value: unknown): string | null {
  return isText(value) ? value : null;
}

function bad(message: string, text: string): { ok: false; problem: Problem } {
  return { ok: false, problem: { kind: "bad_message", message, text } };
}

function describe(issues: readonly Issue[]): string {
  const path = (issues[0]?.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  const message = issues[0]?.message ?? "invalid";
  return path.length === 0 ? message : `${path.join(".")}: ${message}`;
}
