/** Requests to the server itself, such as to join a room: they end with their connection. */
import { WebSocketRequestError, type RequestErrorCode } from "./types.js";

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (error: WebSocketRequestError) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Requests {
  readonly #timeoutMs: number;
  readonly #waiting = new Map<number, Waiting>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  add(ref: number): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.reject(ref, "timeout", "the server did not answer in time");
      }, this.#timeoutMs);
      this.#waiting.set(ref, { resolve, reject, timer });
    });
  }

  resolve(ref: number, answer: unknown): boolean {
    const waiting = this.#take(ref);
    waiting?.resolve(answer);
    return waiting !== undefined;
  }

  reject(ref: number, code: RequestErrorCode, message: string): boolean {
    const waiting = this.#take(ref);
    waiting?.reject(new WebSocketRequestError(code, message));
    return waiting !== undefined;
  }

  rejectAll(code: RequestErrorCode, message: string): void {
    for (const ref of [...this.#waiting.keys()]) {
      this.reject(ref, code, message);
    }
  }

  #take(ref: number): Waiting | undefined {
    const waiting = this.#waiting.get(ref);
    if (waiting !== undefined) {
      clearTimeout(waiting.timer);
      this.#waiting.delete(ref);
    }
    return waiting;
  }
}

/** Whether the server would answer the same again. After the other codes it is worth asking again a
 * moment later. */
export function isFinal(code: RequestErrorCode): boolean {
  return code !== "timeout" && code !== "rate_limited" && code !== "failed";
}
