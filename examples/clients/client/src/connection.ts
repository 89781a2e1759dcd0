/** One connection, from its address to its end; the next attempt is another object. Not here: when
 * to connect, and what the messages mean (client.ts). */

/** The code of an end that the other side did not choose, as in RFC 6455. */
const ABNORMAL_CLOSE_CODE = 1006;

/** The code with which this client closes a connection that does not answer. */
const NO_ANSWER_CLOSE_CODE = 4000;

export interface ConnectionOptions {
  /** May take its time, for example to fetch a token. */
  makeUrl: () => Promise<string>;
  WebSocket: typeof globalThis.WebSocket;
  /** For the address, the handshake and the server's welcome together. */
  timeoutMs: number;
  onText: (text: unknown) => void;
  /** There is no socket, for example because the page's policy does not allow one; onEnd() follows. */
  onFailure: (error: unknown) => void;
  /** Called once, and not after close(). */
  onEnd: (code: number, reason: string) => void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isOver = false;
  #isWelcome = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#timer = setTimeout(() => this.fail("no welcome"), options.timeoutMs);
    void this.#open();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** An open socket has not been accepted yet: a refusal also comes after the handshake. */
  get isWelcome(): boolean {
    return this.#isWelcome && !this.#isOver;
  }

  /** The server has accepted the client. */
  welcome(): void {
    this.#isWelcome = true;
    clearTimeout(this.#timer);
  }

  send(text: string): void {
    if (this.isWelcome) {
      this.#socket?.send(text);
    }
  }

  /** Ends without onEnd(). */
  close(): void {
    this.#release();
    this.#socket?.close();
  }

  /** The server does not answer. A browser may wait for minutes for the answer to a close frame, so
   * this is the end. */
  fail(reason: string): void {
    if (!this.#isOver) {
      this.#end(ABNORMAL_CLOSE_CODE, "");
      this.#socket?.close(NO_ANSWER_CLOSE_CODE, reason);
    }
  }

  async #open(): Promise<void> {
    await Promise.resolve(); // the owner knows this object before its first call
    if (this.#isOver) {
      return;
    }
    try {
      this.#connect(await this.#options.makeUrl());
    } catch {
      this.#end(ABNORMAL_CLOSE_CODE, ""); // the owner knows why
    }
  }

  #connect(url: string): void {
    if (this.#isOver) {
      return;
    }
    const socket = this.#makeSocket(url);
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (!this.#isOver) {
        this.#options.onText(data);
      }
    });
    socket.addEventListener("close", ({ code, reason }) => this.#end(code, reason));
    // A close event follows. Node's sockets throw errors that nobody listens to.
    socket.addEventListener("error", () => undefined);
  }

  #makeSocket(url: string): WebSocket {
    try {
      return new this.#options.WebSocket(url);
    } catch (error) {
      this.#options.onFailure(error);
      throw error;
    }
  }

  #end(code: number, reason: string): void {
    if (!this.#isOver) {
      this.#release();
      this.#options.onEnd(code, reason);
    }
  }

  #release(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }
}
