/** Parses the text of a frame to an event of a known type, or to a problem. */
import * as v from "valibot";
import { builtInSchemas, envelopeSchema } from "./schemas";
import type { AnyEvent, CustomSchemas, Problem } from "./types";

export type Parsed = { ok: true; event: AnyEvent } | { ok: false; problem: Problem };

export type Parse = (text: unknown) => Parsed;

export function createParse(customSchemas: CustomSchemas): Parse {
  const schemas = new Map<string, v.GenericSchema>(
    Object.entries({ ...customSchemas, ...builtInSchemas }),
  );

  return (text) => {
    if (typeof text !== "string") {
      return bad("received a message that is not text", "");
    }
    const envelope = v.safeParse(envelopeSchema, parseJson(text));
    if (!envelope.success) {
      return bad(describe(envelope.issues), text);
    }
    const { type, data, id, timestamp, user_id, room, ref, state, replayed } = envelope.output;
    const schema = schemas.get(type);
    if (schema === undefined) {
      const message = `no schema for events of type "${type}"`;
      return { ok: false, problem: { kind: "unknown_type", message, type } };
    }
    const content = v.safeParse(schema, data);
    if (!content.success) {
      return bad(`${type}: ${describe(content.issues)}`, text);
    }
    // The schema selected by `type` has just validated that `data` is of that type.
    const event = {
      type,
      data: content.output,
      id: id ?? null,
      timestamp: timestamp ?? null,
      userId: user_id ?? null,
      room: room ?? null,
      ref: ref ?? null,
      isKept: state || replayed,
    } as AnyEvent;
    return { ok: true, event };
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function bad(message: string, text: string): Parsed {
  return { ok: false, problem: { kind: "bad_message", message, text } };
}

function describe(issues: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const [first] = issues;
  const path = v.getDotPath(first);
  return path === null ? first.message : `${path}: ${first.message}`;
}
