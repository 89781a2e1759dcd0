/**
 * The client: one connection that reconnects by itself, typed events, answers as promises. It does
 * not depend on React. Partysocket makes a single attempt to connect; this file decides when to
 * make the next one, because the page shows that time and the browser's signals shorten it.
 */
import ReconnectingWebSocket from "partysocket/ws";
import { askedDelay, fullJitterDelay } from "./backoff";
import { Handlers } from "./handlers";
import { Heartbeat } from "./heartbeat";
import { defaultTuning, type Tuning, type WebSocketClientOptions } from "./options";
import { Outbox } from "./outbox";
import { createParse, type Parse } from "./parse";
import { RecentIds } from "./recent-ids";
import { Requests } from "./requests";
import { Resumption } from "./resumption";
import { isFinal, Rooms } from "./rooms";
import {
  WebSocketRequestError,
  type AnyEvent,
  type ClientMessage,
  type ConnectionState,
  type EventHandler,
  type EventType,
  type Problem,
  type RequestErrorCode,
  type RoomAnswer,
  type SendOutcome,
  type WebSocketEvents,
} from "./types";

/** Policy violation, unauthenticated, forbidden: another attempt would end the same way. */
const REFUSING_CLOSE_CODES: readonly number[] = [1008, 4401, 4403];

/** The code with which this client closes a connection that does not answer. */
const NO_ANSWER_CLOSE_CODE = 4000;

const SERVER_ERROR_CODES: readonly string[] = [
  "bad_json",
  "bad_request",
  "unknown_type",
  "forbidden",
  "not_member",
  "too_many_rooms",
  "rate_limited",
] satisfies RequestErrorCode[];

export class WebSocketClient {
  readonly #options: WebSocketClientOptions;
  readonly #tuning: Tuning;
  readonly #parse: Parse;
  readonly #socket: ReconnectingWebSocket;
  readonly #handlers: Handlers;
  readonly #heartbeat: Heartbeat;
  readonly #requests: Requests<RoomAnswer>;
  readonly #outbox: Outbox;
  readonly #recentIds: RecentIds;
  readonly #rooms = new Rooms();
  readonly #resumption = new Resumption();
  readonly #stateListeners = new Set<() => void>();

  #state: ConnectionState = { status: "closed" };
  #lastRef = 0;
  /** Attempts since the last connection that lasted. */
  #attempt = 0;
  #connectedAt = 0;
  #isStarting = false;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #welcomeTimer: ReturnType<typeof setTimeout> | undefined;
  #stopListening: (() => void) | undefined;

  constructor(options: WebSocketClientOptions) {
    this.#options = options;
    this.#tuning = { ...defaultTuning(), ...options };
    this.#parse = createParse(options.schemas);
    this.#requests = new Requests(this.#tuning.answerTimeoutMs);
    this.#outbox = new Outbox(this.#tuning.queueBound);
    this.#recentIds = new RecentIds(this.#tuning.recentIdsBound);
    this.#handlers = new Handlers((error) => {
      this.#report({ kind: "handler_failed", message: `a handler failed: ${String(error)}`, error });
    });
    this.#heartbeat = new Heartbeat({
      timeoutMs: this.#tuning.pongTimeoutMs,
      ping: () => this.#socket.send('{"type":"ping"}'),
      onDead: () => this.#socket.close(NO_ANSWER_CLOSE_CODE, "no answer to a ping"),
    });
    this.#socket = this.#createSocket();
  }

  /** The current state: an object that is replaced, never modified. */
  readonly getState = (): ConnectionState => this.#state;

  /** Calls back after each change of the state, until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  };

  /** The position up to which this client has received all events. */
  get lastEventId(): string | null {
    return this.#resumption.position;
  }

  /** Connects and stays connected, until close() or a refusal. */
  connect(): void {
    if (this.#state.status !== "closed" && this.#state.status !== "refused") {
      return;
    }
    this.#attempt = 0;
    this.#stopListening = this.#tuning.signals.listen({
      onWake: () => this.#wake(),
      onOffline: () => this.#goOffline(),
    });
    this.#setState({ status: "connecting" });
    this.#startAttempt();
  }

  close(): void {
    this.#stop("closed");
    this.#setState({ status: "closed" });
    this.#socket.close();
  }

  /** Skips the delay before the next attempt, or tries again after a refusal. */
  retryNow(): void {
    if (this.#state.status === "refused") {
      this.connect();
    } else {
      this.#wake();
    }
  }

  /** Calls back with each event of that type, until the returned function is called. */
  on<T extends EventType>(type: T, handler: EventHandler<T>): () => void {
    return this.#handlers.add(type, handler);
  }

  /** Calls back with each event of every type. */
  onAny(handler: (event: AnyEvent) => void): () => void {
    return this.#handlers.addForAll(handler);
  }

  /**
   * Joins a room, now or once connected, and stays in it after each reconnect. Rejects with a
   * WebSocketRequestError: if the connection was lost or the answer was late ("closed", "timeout"),
   * the room is still wanted and is joined with the next connection; if the server refused, it is
   * not.
   */
  async joinRoom(room: string): Promise<RoomAnswer> {
    this.#rooms.add(room);
    switch (this.#state.status) {
      case "connected":
        return await this.#join(room);
      case "refused":
        throw new WebSocketRequestError("refused", "the server refused the connection");
      case "closed":
      case "connecting":
      case "reconnecting":
      case "offline":
        return await this.#rooms.wait(room);
    }
  }

  /** Without a connection this takes effect at once: the next connection will not join the room. */
  async leaveRoom(room: string): Promise<void> {
    this.#rooms.remove(room);
    if (this.#state.status === "connected") {
      await this.#ask("leave_room", room);
    }
  }

  /** Sends now or, while disconnected, after the next connect. Never rejects: see SendOutcome. */
  send(message: ClientMessage): Promise<SendOutcome> {
    const ref = this.#nextRef();
    const text = JSON.stringify({ ...message, ref });
    switch (this.#state.status) {
      case "connected":
        this.#socket.send(text);
        return Promise.resolve({ status: "sent", ref });
      case "refused":
        return Promise.resolve({ status: "dropped", ref, reason: "refused" });
      case "closed":
      case "connecting":
      case "reconnecting":
      case "offline":
        return this.#outbox.add(ref, text);
    }
  }

  // --- the socket ---------------------------------------------------------------------------

  #createSocket(): ReconnectingWebSocket {
    const socket = new ReconnectingWebSocket(() => this.#makeUrl(), null, {
      WebSocket: this.#tuning.WebSocket,
      connectionTimeout: this.#tuning.connectTimeoutMs,
      startClosed: true,
      // One attempt for each reconnect(), and none by itself.
      maxRetries: 0,
      shouldReconnectOnClose: () => false,
      maxEnqueuedMessages: 0, // the outbox keeps them, because it can report the outcome of each
    });
    socket.addEventListener("open", () => this.#awaitWelcome());
    socket.addEventListener("message", (event) => this.#receive(event.data));
    socket.addEventListener("close", (event) => this.#lose(event.code, event.reason));
    // Before the first socket exists, a failure is reported only as an error event.
    socket.addEventListener("error", () => this.#lose(1006, ""));
    return socket;
  }

  async #makeUrl(): Promise<string> {
    const url = new URL(this.#options.url);
    try {
      const token = (await this.#options.token?.()) ?? null;
      if (token !== null) {
        url.searchParams.set("token", token);
      }
    } catch (error) {
      this.#report({ kind: "token_failed", message: `cannot get a token: ${String(error)}`, error });
      throw error;
    }
    this.#resumption.addTo(url, this.#rooms.entered);
    return url.href;
  }

  /** An open socket has not been accepted yet: a refusal also comes after the handshake. */
  #awaitWelcome(): void {
    this.#welcomeTimer = setTimeout(
      () => this.#socket.close(NO_ANSWER_CLOSE_CODE, "no welcome"),
      this.#tuning.answerTimeoutMs,
    );
  }

  #lose(code: number, reason: string): void {
    const { status } = this.#state;
    if (status === "closed" || status === "refused") {
      return;
    }
    if (this.#isStarting || this.#retryTimer !== undefined) {
      return;
    }
    if (REFUSING_CLOSE_CODES.includes(code)) {
      this.#stop("refused");
      this.#setState({ status: "refused", code, reason });
      this.#socket.close();
      return;
    }
    this.#endConnection("closed", "the connection was lost");
    if (status === "connected" && Date.now() - this.#connectedAt >= this.#tuning.stableAfterMs) {
      this.#attempt = 0;
    }
    this.#scheduleAttempt(askedDelay(code, reason, this.#tuning.longestDelayMs));
  }

  /** Ends what belongs to one connection. */
  #endConnection(code: "closed" | "refused", message: string): void {
    clearTimeout(this.#welcomeTimer);
    this.#heartbeat.stop();
    this.#requests.rejectAll(code, message);
  }

  #stop(reason: "closed" | "refused"): void {
    const message =
      reason === "closed" ? "the client was closed" : "the server refused the connection";
    this.#stopListening?.();
    this.#stopListening = undefined;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#endConnection(reason, message);
    this.#rooms.rejectWaiting(reason, message);
    this.#outbox.drop(reason);
  }

  // --- attempts -----------------------------------------------------------------------------

  #scheduleAttempt(askedDelayMs: number | null): void {
    this.#attempt++;
    const delay =
      askedDelayMs ??
      fullJitterDelay(this.#attempt, {
        firstCeilingMs: this.#tuning.firstDelayMs,
        longestCeilingMs: this.#tuning.longestDelayMs,
        random: this.#tuning.random,
      });
    this.#retryTimer = setTimeout(() => this.#tryAgain(), delay);
    this.#showAway(Date.now() + delay);
  }

  #tryAgain(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#showAway(null);
    this.#startAttempt();
  }

  /** Gives up an earlier connection, which is not a loss that is followed by an attempt. */
  #startAttempt(): void {
    this.#isStarting = true;
    this.#socket.reconnect();
    this.#isStarting = false;
  }

  #showAway(retryAt: number | null): void {
    const status = this.#tuning.signals.isOnline() ? "reconnecting" : "offline";
    this.#setState({ status, attempt: this.#attempt, retryAt });
  }

  /** The network is available again, or the page has become visible. */
  #wake(): void {
    if (this.#state.status === "connected") {
      this.#heartbeat.check();
    } else if (this.#retryTimer !== undefined) {
      this.#tryAgain();
    }
  }

  /** A connection may survive this, for example one to this machine, so it is only pinged. */
  #goOffline(): void {
    if (this.#state.status === "connected") {
      this.#heartbeat.check();
    } else if (this.#state.status === "reconnecting") {
      this.#showAway(this.#state.retryAt);
    }
  }

  // --- messages -----------------------------------------------------------------------------

  #receive(text: unknown): void {
    this.#heartbeat.heard();
    const parsed = this.#parse(text);
    if (!parsed.ok) {
      this.#report(parsed.problem);
      return;
    }
    const { event } = parsed;
    if (event.id !== null && !event.isKept) {
      if (!this.#recentIds.add(event.id)) {
        return;
      }
      this.#resumption.advance(event.id);
    }
    this.#follow(event);
    this.#handlers.call(event);
    if (event.type === "recovered") {
      this.#finishRecovery(event.data);
    }
  }

  /** How the client reacts to the protocol's own messages; it ignores other events. */
  #follow(event: AnyEvent): void {
    if (event.type === "welcome") {
      this.#begin(event.data);
    } else if (event.type === "room_joined" || event.type === "room_left") {
      this.#resumption.advance(event.data.id);
      this.#requests.resolve(String(event.ref), event.data);
    } else if (event.type === "pong" || event.type === "recovered") {
      this.#resumption.advance(event.data.id);
    } else if (event.type === "error" && event.ref !== null) {
      this.#refuse(String(event.ref), asErrorCode(event.data.code), event.data.message);
    }
  }

  /** The ref is that of a request, or the name of a room to join again. */
  #refuse(ref: string, code: RequestErrorCode, message: string): void {
    if (!this.#requests.reject(ref, code, message) && this.#resumption.rooms.has(ref)) {
      this.#refuseRoom(ref, new WebSocketRequestError(code, message));
    }
  }

  #begin(welcome: WebSocketEvents["welcome"]): void {
    clearTimeout(this.#welcomeTimer);
    this.#resumption.begin(welcome.id, welcome.connection_id);
    this.#connectedAt = Date.now();
    this.#heartbeat.start(welcome.ping_interval_ms);
    this.#setState({
      status: "connected",
      connectionId: welcome.connection_id,
      userId: welcome.user_id,
    });
    // The rooms first: the waiting messages may be for them.
    for (const room of this.#rooms.wanted) {
      if (!this.#resumption.rooms.has(room)) {
        void this.#rejoin(room);
      }
    }
    for (const room of this.#resumption.rooms) {
      if (!this.#rooms.isWanted(room)) {
        // The room was left while the connection was being made.
        this.#ask("leave_room", room).catch(() => undefined);
      }
    }
    this.#outbox.flush((text) => this.#socket.send(text));
  }

  /** The connection is in the rooms that it asked to recover. */
  #finishRecovery({ complete, id }: WebSocketEvents["recovered"]): void {
    for (const room of this.#resumption.rooms) {
      this.#rooms.takeWaiting(room)?.resolve({ room, id });
    }
    const missed = this.#resumption.finish(complete, id);
    if (missed !== null) {
      const none = { id: null, timestamp: null, userId: null, room: null, ref: null, isKept: false };
      this.#handlers.call({ type: "missed", data: missed, ...none });
    }
  }

  async #rejoin(room: string): Promise<void> {
    const waiting = this.#rooms.takeWaiting(room);
    try {
      const answer = await this.#join(room);
      waiting?.resolve(answer);
    } catch (error) {
      const failure = asRequestError(error);
      if (waiting !== undefined) {
        waiting.reject(failure);
      } else {
        this.#reportRoom(room, failure);
      }
    }
  }

  /** The server refuses to recover a room. */
  #refuseRoom(room: string, failure: WebSocketRequestError): void {
    const waiting = this.#rooms.takeWaiting(room);
    this.#rooms.remove(room);
    if (waiting !== undefined) {
      waiting.reject(failure);
    } else {
      this.#reportRoom(room, failure);
    }
  }

  #reportRoom(room: string, { code, message }: WebSocketRequestError): void {
    if (code !== "closed" && code !== "refused") {
      this.#report({ kind: "rejoin_failed", message: `${room}: ${message}`, room, code });
    }
  }

  async #join(room: string): Promise<RoomAnswer> {
    try {
      const answer = await this.#ask("join_room", room);
      this.#rooms.enter(room);
      return answer;
    } catch (error) {
      if (isFinal(asRequestError(error).code)) {
        this.#rooms.remove(room);
      }
      throw error;
    }
  }

  #ask(type: "join_room" | "leave_room", room: string): Promise<RoomAnswer> {
    const ref = this.#nextRef();
    const answer = this.#requests.add(ref);
    this.#socket.send(JSON.stringify({ type, room, ref }));
    return answer;
  }

  /** A ref that is not a room's name: the server uses these to report rooms that cannot be joined
   * again. */
  #nextRef(): string {
    do {
      this.#lastRef++;
    } while (this.#resumption.rooms.has(String(this.#lastRef)));
    return String(this.#lastRef);
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    for (const listener of [...this.#stateListeners]) {
      listener();
    }
  }

  #report(problem: Problem): void {
    if (this.#options.onProblem !== undefined) {
      this.#options.onProblem(problem);
    } else {
      console.warn(`WebSocket: ${problem.message}`);
    }
  }
}

function asErrorCode(code: string): RequestErrorCode {
  return SERVER_ERROR_CODES.includes(code) ? (code as RequestErrorCode) : "unknown";
}

function asRequestError(error: unknown): WebSocketRequestError {
  return error instanceof WebSocketRequestError
    ? error
    : new WebSocketRequestError("unknown", String(error));
}
