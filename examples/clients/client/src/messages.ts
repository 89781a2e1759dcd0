/**
 * Messages and requests to the application, until they are answered. They outlive connections: what
 * was not answered is sent again with the same `ref`, by which the server knows what it has carried
 * out already.
 */
import { boundedMs } from "./limits.js";
import { WebSocketRequestError, type RequestErrorCode, type RequestOptions } from "./types.js";

/** As many as the server answers at a time, and remembers the answers of. */
const MOST_UNANSWERED = 64;

interface Message {
  text: string;
  /** Whether it was ever sent: then it may have been carried out. */
  wasSent: boolean;
  /** Whether this connection's answer to it is awaited. */
  isAwaited: boolean;
  hasOwnTimeout: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
  settle: { resolve: (answer: unknown) => void; reject: (error: unknown) => void };
  stopListening: () => void;
}

interface MessagesOptions {
  bound: number;
  answerTimeoutMs: number;
  send: (text: string) => void;
}

export class Messages {
  readonly #options: MessagesOptions;
  /** In the order of the calls. */
  readonly #messages = new Map<number, Message>();
  #awaited = 0;
  #isStarted = false;

  constructor(options: MessagesOptions) {
    this.#options = options;
  }

  /** Sends now, or once there is a connection. When the queue is full the new message is refused, so
   * that the order of the others is kept. */
  add(ref: number, text: string, { timeoutMs, signal }: RequestOptions): Promise<unknown> {
    if (signal?.aborted === true) {
      return Promise.reject(asError(signal.reason));
    }
    if (this.#messages.size >= this.#options.bound) {
      const message = "too many messages wait for a connection or for their answers";
      return Promise.reject(new WebSocketRequestError("queue_full", message));
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => this.#take(ref)?.settle.reject(asError(signal?.reason));
      signal?.addEventListener("abort", onAbort);
      const message: Message = {
        text,
        wasSent: false,
        isAwaited: false,
        hasOwnTimeout: timeoutMs !== undefined,
        timer: undefined,
        settle: { resolve, reject },
        stopListening: () => signal?.removeEventListener("abort", onAbort),
      };
      this.#messages.set(ref, message);
      if (timeoutMs !== undefined) {
        this.#limit(ref, message, timeoutMs);
      }
      this.#sendNext();
    });
  }

  /** There is a connection that a later one will name, if it is lost. */
  start(): void {
    this.#isStarted = true;
    this.#sendNext();
  }

  /** The connection has ended. */
  stop(): void {
    this.#isStarted = false;
    this.#awaited = 0;
    for (const message of this.#messages.values()) {
      message.isAwaited = false;
      if (!message.hasOwnTimeout) {
        clearTimeout(message.timer);
      }
    }
  }

  resolve(ref: number, answer: unknown): boolean {
    const message = this.#take(ref);
    message?.settle.resolve(answer);
    return message !== undefined;
  }

  reject(ref: number, code: RequestErrorCode, text: string): boolean {
    const message = this.#take(ref);
    message?.settle.reject(new WebSocketRequestError(code, text));
    return message !== undefined;
  }

  rejectAll(code: RequestErrorCode, text: string): void {
    for (const ref of [...this.#messages.keys()]) {
      this.reject(ref, code, text);
    }
  }

  /** Those that may have been carried out, by a server that will not know them again. */
  rejectSent(code: RequestErrorCode, text: string): void {
    for (const [ref, { wasSent }] of [...this.#messages]) {
      if (wasSent) {
        this.reject(ref, code, text);
      }
    }
  }

  #sendNext(): void {
    for (const [ref, message] of this.#messages) {
      if (!this.#isStarted || this.#awaited >= MOST_UNANSWERED) {
        return;
      }
      if (!message.isAwaited) {
        message.wasSent = true;
        message.isAwaited = true;
        this.#awaited++;
        if (!message.hasOwnTimeout) {
          this.#limit(ref, message, this.#options.answerTimeoutMs);
        }
        this.#options.send(message.text);
      }
    }
  }

  #limit(ref: number, message: Message, timeoutMs: number): void {
    message.timer = setTimeout(() => {
      this.reject(ref, "timeout", "the server did not answer in time");
    }, boundedMs(timeoutMs));
  }

  #take(ref: number): Message | undefined {
    const message = this.#messages.get(ref);
    if (message !== undefined) {
      this.#messages.delete(ref);
      clearTimeout(message.timer);
      message.stopListening();
      if (message.isAwaited) {
        this.#awaited--;
        this.#sendNext();
      }
    }
    return message;
  }
}

/** An AbortSignal's reason may be anything. */
function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
