/** A bounded queue of messages that wait for a connection. */
import type { DropReason, SendOutcome } from "./types";

interface Waiting {
  ref: string;
  text: string;
  settle: (outcome: SendOutcome) => void;
}

export class Outbox {
  readonly #bound: number;
  #waiting: Waiting[] = [];

  constructor(bound: number) {
    this.#bound = bound;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** When the queue is full it drops the new message, so that the order of the others is kept. */
  add(ref: string, text: string): Promise<SendOutcome> {
    if (this.#waiting.length >= this.#bound) {
      return Promise.resolve({ status: "dropped", ref, reason: "queue_full" });
    }
    return new Promise((settle) => this.#waiting.push({ ref, text, settle }));
  }

  flush(send: (text: string) => void): void {
    for (const { ref, text, settle } of this.#take()) {
      send(text);
      settle({ status: "sent", ref });
    }
  }

  drop(reason: DropReason): void {
    for (const { ref, settle } of this.#take()) {
      settle({ status: "dropped", ref, reason });
    }
  }

  #take(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
