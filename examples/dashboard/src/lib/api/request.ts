/** Sends a request to the REST API; resolves to a validated answer, or rejects with an ApiError. */
import * as v from "valibot";

export class ApiError extends Error {
  /** 0 when there was no answer. */
  readonly status: number;
  readonly code: string;
  /** The field of the request that is wrong, like "items[0].quantity". */
  readonly field: string | null;

  constructor(status: number, code: string, message: string, field: string | null = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.field = field;
  }
}

const errorSchema = v.object({
  error: v.object({ code: v.string(), message: v.string(), field: v.nullable(v.string()) }),
});

export async function request<S extends v.GenericSchema>(
  method: "GET" | "POST" | "PUT" | "PATCH",
  path: string,
  schema: S,
  body?: unknown,
): Promise<v.InferOutput<S>> {
  const { response, content } = await exchange(method, path, body);
  if (!response.ok) {
    throw asApiError(response.status, content);
  }
  const answer = v.safeParse(schema, content);
  if (!answer.success) {
    throw new ApiError(response.status, "bad_answer", "the backend sent an unexpected answer");
  }
  return answer.output;
}

async function exchange(method: string, path: string, body: unknown) {
  try {
    const response = await fetch(path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
    return { response, content: parseJson(await response.text()) };
  } catch {
    throw new ApiError(0, "unreachable", "the backend cannot be reached");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // for example a proxy's error page
  }
}

function asApiError(status: number, content: unknown): ApiError {
  const parsed = v.safeParse(errorSchema, content);
  if (!parsed.success) {
    return new ApiError(status, "http", `the backend answered with status ${status}`);
  }
  const { code, message, field } = parsed.output.error;
  return new ApiError(status, code, message, field);
}

export function asError(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError(0, "unexpected", String(error));
}
