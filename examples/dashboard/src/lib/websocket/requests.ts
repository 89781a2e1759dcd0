/** Requests that wait for the answer with their `ref`. */
import { WebSocketRequestError, type RequestErrorCode } from "./types";

interface Waiting<Answer> {
  resolve: (answer: Answer) => void;
  reject: (error: WebSocketRequestError) => void;
  timer: ReturnType<typeof setTimeout>;
}

export class Requests<Answer> {
  readonly #timeoutMs: number;
  readonly #waiting = new Map<string, Waiting<Answer>>();

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  add(ref: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.reject(ref, "timeout", "the server did not answer in time");
      }, this.#timeoutMs);
      this.#waiting.set(ref, { resolve, reject, timer });
    });
  }

  resolve(ref: string, answer: Answer): boolean {
    const waiting = this.#take(ref);
    waiting?.resolve(answer);
    return waiting !== undefined;
  }

  reject(ref: string, code: RequestErrorCode, message: string): boolean {
    const waiting = this.#take(ref);
    waiting?.reject(new WebSocketRequestError(code, message));
    return waiting !== undefined;
  }

  rejectAll(code: RequestErrorCode, message: string): void {
    for (const ref of [...this.#waiting.keys()]) {
      this.reject(ref, code, message);
    }
  }

  #take(ref: string): Waiting<Answer> | undefined {
    const waiting = this.#waiting.get(ref);
    if (waiting !== undefined) {
      clearTimeout(waiting.timer);
      this.#waiting.delete(ref);
    }
    return waiting;
  }
}
