/**
 * The client: one connection that reconnects by itself, typed events, answers as promises. It
 * depends on no framework. Here is when it connects and what it does with messages; its parts are in
 * files of their own.
 */
import { askedDelay, fullJitterDelay } from "./backoff.js";
import { Connection } from "./connection.js";
import { Handlers } from "./handlers.js";
import { Heartbeat } from "./heartbeat.js";
import { Listeners } from "./listeners.js";
import { Messages } from "./messages.js";
import { Methods, type Method, type ServerRequest } from "./methods.js";
import { absoluteUrl, tuningOf, type Tuning, type WebSocketClientOptions } from "./options.js";
import { createParse, type Parse } from "./parse.js";
import { RecentIds } from "./recent-ids.js";
import { Requests } from "./requests.js";
import { Resumption } from "./resumption.js";
import { Room } from "./room.js";
import { Rooms } from "./rooms.js";
import { ServicePresence } from "./service-presence.js";
import { TokenRenewal } from "./tokens.js";
import {
  WebSocketRequestError,
  type AnyEvent,
  type ClientMessage,
  type ConnectionState,
  type EventHandler,
  type EventType,
  type Presence,
  type Problem,
  type ProtocolEvents,
  type RequestErrorCode,
  type RequestOptions,
  type RoomAnswer,
  type RoomOptions,
} from "./types.js";

const POLICY_CLOSE_CODE = 1008;
const UNAUTHENTICATED_CLOSE_CODE = 4401;
const FORBIDDEN_CLOSE_CODE = 4403;

export class WebSocketClient<Events extends object> {
  readonly #options: WebSocketClientOptions<Events>;
  readonly #tuning: Tuning;
  readonly #url: URL;
  readonly #parse: Parse<Events>;
  readonly #handlers: Handlers<Events>;
  readonly #heartbeat: Heartbeat;
  readonly #requests: Requests;
  readonly #messages: Messages;
  readonly #rooms: Rooms;
  readonly #presence: ServicePresence;
  readonly #methods = new Methods();
  readonly #recentIds: RecentIds;
  readonly #resumption = new Resumption();
  readonly #renewal = new TokenRenewal(() => void this.#renewToken());
  readonly #stateListeners = this.#makeListeners();

  #state: ConnectionState = { status: "closed" };
  #connection: Connection | null = null;
  #lastRef = 0;
  /** Attempts since the last connection that lasted. */
  #attempt = 0;
  #connectedAt = 0;
  /** The user of the latest connection, until the client is closed. */
  #userId: string | null = null;
  #token: string | null = null;
  /** The token that the server has refused, until it accepts one. */
  #refused: { token: string | null; reason: string } | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  /** The page is frozen: nothing happens until it is woken. */
  #isAsleep = false;
  #stopListening: (() => void) | undefined;

  /** Throws a TypeError if `url` is none, or if there is no constructor of WebSockets. */
  constructor(options: WebSocketClientOptions<Events>) {
    this.#options = options;
    this.#tuning = tuningOf(options);
    if (typeof this.#tuning.WebSocket !== "function") {
      throw new TypeError("this environment has no WebSocket: pass its constructor as options.WebSocket");
    }
    this.#url = absoluteUrl(options.url);
    this.#parse = createParse(options.schemas);
    this.#handlers = new Handlers((error) => this.#reportFailure(error));
    this.#requests = new Requests(this.#tuning.answerTimeoutMs);
    this.#recentIds = new RecentIds(this.#tuning.recentIdsBound);
    this.#messages = new Messages({
      bound: this.#tuning.queueBound,
      answerTimeoutMs: this.#tuning.answerTimeoutMs,
      send: (text) => this.#connection?.send(text),
    });
    this.#heartbeat = new Heartbeat({
      timeoutMs: this.#tuning.pongTimeoutMs,
      ping: () => this.#connection?.send('{"type":"ping"}'),
      onDead: () => this.#connection?.fail("no answer to a ping"),
    });
    const isConnected = () => this.#connection?.isWelcome === true;
    this.#rooms = new Rooms({
      retryMs: this.#tuning.firstDelayMs,
      isConnected,
      ask: async (request) => (await this.#ask(request)) as RoomAnswer,
      report: (problem) => this.#report(problem),
      onGap: (room) => this.#emitMissed({ reason: "rooms", rooms: [room] }),
      makeListeners: () => this.#makeListeners(),
    });
    this.#presence = new ServicePresence(
      {
        retryMs: this.#tuning.firstDelayMs,
        isConnected,
        ask: (type) => this.#ask({ type }),
        onRefusal: (error) => this.#reportPresence(error),
      },
      this.#makeListeners(),
    );
  }

  /** The current state: an object that is replaced, never modified. */
  readonly getState = (): ConnectionState => this.#state;

  /** Calls back after each change of the state, until the returned function is called. */
  readonly subscribe = (listener: () => void): (() => void) => this.#stateListeners.add(listener);

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
    this.#refused = null;
    this.#stopListening = this.#tuning.signals.listen({
      onWake: () => this.#wake(),
      onOffline: () => this.#goOffline(),
      onSleep: () => this.#sleep(),
    });
    // Before the listeners, one of which may close the client.
    this.#startAttempt();
    this.#setState({ status: "connecting" });
  }

  /** Ends the connection, and rejects what waits for an answer. Rooms are joined again, and handlers
   * called again, after the next connect(). */
  close(): void {
    this.#stop("closed", "the client was closed");
    if (this.#state.status !== "closed") {
      this.#setState({ status: "closed" });
    }
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
  on<T extends EventType<Events>>(type: T, handler: EventHandler<Events, T>): () => void {
    return this.#handlers.add(type, handler);
  }

  /** Calls back with each event of every type. */
  onAny(handler: (event: AnyEvent<Events>) => void): () => void {
    return this.#handlers.addForAll(handler);
  }

  /**
   * Joins a room, now or once connected, and stays in it after each reconnect. Each call returns a
   * holder of its own; the room is left when the last of them has left.
   */
  room(name: string, options: RoomOptions = {}): Room<Events> {
    const holding = this.#rooms.hold(name, options);
    if (this.#state.status === "refused") {
      holding.reject(new WebSocketRequestError("refused", "the server refused the connection"));
    }
    const send = (message: object, given: RequestOptions) => this.#deliver(message, given);
    const release = this.#rooms.release.bind(this.#rooms);
    return new Room({ handlers: this.#handlers, send, release }, holding);
  }

  /**
   * Sends a message to the application, now or once connected and recovered. Resolves with what the application
   * answers when it has accepted the message, and rejects with a WebSocketRequestError.
   *
   * What was not answered when a connection was lost is sent again with the next one, and is carried
   * out once, if the client has a user and comes back in time: to any process if the service has
   * Redis, else to the same one. Messages of an anonymous client are rejected with "closed" instead,
   * as are all that wait when the next connection is another user's.
   */
  send(message: ClientMessage, options: RequestOptions = {}): Promise<unknown> {
    const { type = "message", room, data } = message;
    return this.#deliver({ type, ...(room === undefined ? {} : { room }), data }, options);
  }

  /** Calls a method of the application. Resolves and rejects like send(). */
  request(method: string, data: unknown = null, options: RequestOptions = {}): Promise<unknown> {
    return this.#deliver({ type: "request", method, data }, options);
  }

  /** Answers the server's requests for this method, with what `method` returns or resolves to. An
   * exception is answered with the code "failed". The returned function removes the method. */
  onRequest(name: string, method: Method): () => void {
    return this.#methods.add(name, method);
  }

  /** Who is connected at all, on any process: an object that is replaced, never modified. null while
   * it is unknown: without a subscriber or a connection, or if the server does not allow it. */
  readonly getPresence = (): Presence | null => this.#presence.get();

  /** Sets what others see in that presence of this client's user, for all its connections: any JSON
   * value of at most 1 KiB; null removes it, and so does the user's leaving. Resolves and rejects like
   * send(). */
  async setPresenceState(state: unknown, options: RequestOptions = {}): Promise<void> {
    await this.#deliver({ type: "set_state", data: state }, options);
  }

  /** Calls back after each change of that presence, until the returned function is called. */
  readonly subscribePresence = (listener: () => void): (() => void) =>
    this.#presence.subscribe(listener);

  // --- the connection -----------------------------------------------------------------------

  /** Gives up an earlier connection, which is not a loss that is followed by an attempt. */
  #startAttempt(): void {
    this.#connection?.close();
    this.#connection = new Connection({
      makeUrl: () => this.#makeUrl(),
      WebSocket: this.#tuning.WebSocket as typeof globalThis.WebSocket,
      timeoutMs: this.#tuning.connectTimeoutMs,
      onText: (text) => this.#receive(text),
      onFailure: (error) => this.#reportSocket(error),
      onEnd: (code, reason) => this.#lose(code, reason),
    });
  }

  async #makeUrl(): Promise<string> {
    const connection = this.#connection;
    const url = new URL(this.#url);
    const token = await this.#askForToken();
    if (connection?.isOver !== false) {
      throw new Error("the token came too late"); // the client's state is a newer attempt's
    }
    if (this.#refused?.token === token) {
      this.#refuse(UNAUTHENTICATED_CLOSE_CODE, this.#refused.reason);
      throw new Error("the token is the one that was refused");
    }
    this.#token = token;
    if (token !== null) {
      url.searchParams.set("token", token);
    }
    this.#resumption.addTo(url, this.#rooms.entered);
    return url.href;
  }

  async #askForToken(): Promise<string | null> {
    try {
      return (await this.#options.token?.()) ?? null;
    } catch (error) {
      this.#report({ kind: "token_failed", message: `cannot get a token: ${String(error)}`, error });
      throw error;
    }
  }

  #lose(code: number, reason: string): void {
    const hasLasted =
      this.#state.status === "connected" &&
      Date.now() - this.#connectedAt >= this.#tuning.stableAfterMs;
    if (this.#isRefusal(code, hasLasted)) {
      this.#refuse(code, reason);
      return;
    }
    if (code === UNAUTHENTICATED_CLOSE_CODE) {
      this.#refused = { token: this.#token, reason };
    }
    this.#endConnection();
    if (hasLasted) {
      this.#attempt = 0;
    }
    this.#scheduleAttempt(askedDelay(code, reason, this.#tuning.longestDelayMs));
  }

  /** Whether another attempt would end the same way. */
  #isRefusal(code: number, hasLasted: boolean): boolean {
    switch (code) {
      case FORBIDDEN_CLOSE_CODE:
        return true;
      case UNAUTHENTICATED_CLOSE_CODE:
        // Once, a newer token may be accepted.
        return this.#options.token === undefined || this.#refused !== null;
      case POLICY_CLOSE_CODE:
        // It can be too fast after hours, but one that is so at once will be so again.
        return !hasLasted;
      default:
        return false;
    }
  }

  #refuse(code: number, reason: string): void {
    this.#stop("refused", "the server refused the connection");
    this.#setState({ status: "refused", code, reason });
  }

  /** Ends what belongs to one connection. */
  #endConnection(): void {
    this.#heartbeat.stop();
    this.#renewal.stop();
    this.#messages.stop();
    this.#rooms.end();
    this.#presence.end();
    this.#requests.rejectAll("closed", "the connection was lost");
    if (this.#userId === null) {
      // The server knows the messages of users again, but not those of anonymous clients.
      this.#rejectSent();
    }
  }

  /** There is no connection, and no attempt is made. */
  #stop(code: "closed" | "refused", message: string): void {
    this.#stopListening?.();
    this.#stopListening = undefined;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#isAsleep = false;
    this.#connection?.close();
    this.#connection = null;
    this.#endConnection();
    this.#rooms.rejectWaiting(code, message);
    this.#messages.rejectAll(code, message);
    this.#userId = null;
  }

  /** Messages are sent as the user whose they are. Those that waited for the first connection are the
   * first user's. */
  #setUser(userId: string | null): void {
    if (userId === this.#userId) {
      return;
    }
    this.#rejectSent();
    if (this.#userId !== null) {
      this.#messages.rejectAll("closed", "the client has another user: the message was not sent");
    }
    this.#userId = userId;
  }

  #rejectSent(): void {
    const message = "the connection was lost before the answer: the message may have been carried out";
    this.#messages.rejectSent("closed", message);
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
    this.#isAsleep = false;
    this.#startAttempt();
    this.#showAway(null);
  }

  #showAway(retryAt: number | null): void {
    const status = this.#tuning.signals.isOnline() ? "reconnecting" : "offline";
    this.#setState({ status, attempt: this.#attempt, retryAt });
  }

  #wake(): void {
    if (this.#state.status === "connected") {
      this.#heartbeat.check();
    } else if (this.#isAsleep || this.#retryTimer !== undefined) {
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

  /** Closes the connection in order, because it would end unnoticed, and its events would pile up at
   * the server. The client recovers when it wakes. */
  #sleep(): void {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#isAsleep = true;
    this.#connection?.close();
    this.#connection = null;
    this.#endConnection();
    this.#attempt = 1;
    this.#showAway(null);
  }

  // --- messages -----------------------------------------------------------------------------

  #receive(text: unknown): void {
    const connection = this.#connection;
    this.#heartbeat.heard();
    const parsed = this.#parse(text);
    if (!parsed.ok) {
      this.#report(parsed.problem);
      return;
    }
    if ("request" in parsed) {
      void this.#answer(parsed.request);
      return;
    }
    const { event } = parsed;
    if (event.id !== null && !event.isKept) {
      if (!this.#recentIds.add(event.id)) {
        return;
      }
      this.#resumption.advance(event.id);
    }
    // What the protocol's messages are does not depend on the application's events.
    const own = event as AnyEvent<object>;
    this.#follow(own);
    this.#handlers.call(event);
    if (own.type === "recovered") {
      this.#finishRecovery(own.data, connection === this.#connection);
    }
  }

  /** How the client reacts to the protocol's own messages; it ignores other events. */
  #follow(event: AnyEvent<object>): void {
    const ref = typeof event.ref === "number" ? event.ref : null;
    switch (event.type) {
      case "welcome":
        this.#begin(event.data);
        break;
      case "room_joined":
      case "room_left":
      case "authenticated":
        this.#resumption.advance(event.data.id);
        if (ref !== null) {
          this.#requests.resolve(ref, event.data);
        } else if (event.type === "room_left") {
          this.#rooms.lose(event.data.room);
        }
        break;
      case "pong":
      case "recovered":
        this.#resumption.advance(event.data.id);
        break;
      case "ack":
      case "response":
        if (ref !== null && !this.#requests.resolve(ref, event.data)) {
          this.#messages.resolve(ref, event.data);
        }
        break;
      case "error":
        this.#fail(event.ref, event.data.code, event.data.message);
        break;
      case "presence":
      case "presence_changed":
        if (event.room === null) {
          this.#presence.follow(event);
        } else {
          this.#rooms.presenceOf(event.room)?.follow(event);
        }
        break;
      case "user_connected":
      case "user_disconnected":
      case "missed":
        break;
    }
  }

  /** A number is the ref of a request, and a text the name of a room that cannot be recovered. */
  #fail(ref: string | number | null, code: RequestErrorCode, message: string): void {
    if (typeof ref === "number") {
      if (!this.#requests.reject(ref, code, message)) {
        this.#messages.reject(ref, code, message);
      }
    } else if (ref !== null && this.#resumption.rooms.has(ref)) {
      this.#rooms.refuse(ref, new WebSocketRequestError(code, message));
    }
  }

  #begin(welcome: ProtocolEvents["welcome"]): void {
    this.#connection?.welcome();
    this.#resumption.begin(welcome.id, welcome.connection_id);
    this.#connectedAt = Date.now();
    this.#refused = null;
    this.#heartbeat.start(welcome.ping_interval_ms);
    this.#renewal.start(this.#token);
    this.#setUser(welcome.user_id);
    // The rooms first: the waiting messages may be for them.
    this.#rooms.begin(this.#resumption.rooms);
    this.#presence.begin();
    if (!this.#resumption.isPending) {
      this.#messages.start();
    }
    this.#setState({
      status: "connected",
      connectionId: welcome.connection_id,
      userId: welcome.user_id,
    });
  }

  /** The connection is in the rooms that it asked to recover. Messages waited for it: until now, a
   * later connection would not name this one, and the server would not know them again. A handler may
   * have ended the connection; what was missed is reported nevertheless. */
  #finishRecovery({ complete, id }: ProtocolEvents["recovered"], isCurrent: boolean): void {
    const { rooms } = this.#resumption;
    const missed = this.#resumption.finish(complete, id);
    if (isCurrent) {
      this.#rooms.finishRecovery(rooms, complete);
      this.#messages.start();
    }
    if (missed !== null) {
      this.#emitMissed(missed);
    }
  }

  #emitMissed(data: ProtocolEvents["missed"]): void {
    const none = {
      id: null, timestamp: null, userId: null, room: null, key: null, ref: null, isKept: false,
    };
    this.#handlers.call({ type: "missed", data, ...none } as AnyEvent<Events>);
  }

  async #answer(request: ServerRequest): Promise<void> {
    const connection = this.#connection;
    connection?.send(await this.#methods.answer(request));
  }

  async #renewToken(): Promise<void> {
    const connection = this.#connection;
    try {
      const token = await this.#askForToken();
      if (connection !== this.#connection || connection?.isWelcome !== true) {
        return;
      }
      if (token !== null && token !== this.#token) {
        await this.#ask({ type: "authenticate", token });
      }
      this.#token = token;
      this.#renewal.start(token);
    } catch (error) {
      // A server without renewal says "unknown_type". In any case it ends the connection when the
      // token expires, and the next attempt asks for another one.
      if (error instanceof WebSocketRequestError && !["unknown_type", "closed"].includes(error.code)) {
        const message = `the server does not accept the new token: ${error.message}`;
        this.#report({ kind: "token_failed", message, error });
      }
    }
  }

  /** Of the server itself, on this connection. */
  #ask(request: object): Promise<unknown> {
    const ref = ++this.#lastRef;
    const answer = this.#requests.add(ref);
    this.#connection?.send(JSON.stringify({ ...request, ref }));
    return answer;
  }

  /** To the application, with this connection or a later one. Rejects with a TypeError if the data is
   * no JSON. */
  async #deliver(message: object, options: RequestOptions): Promise<unknown> {
    if (this.#state.status === "refused") {
      throw new WebSocketRequestError("refused", "the server refused the connection");
    }
    const ref = ++this.#lastRef;
    return await this.#messages.add(ref, JSON.stringify({ ...message, ref }), options);
  }

  #setState(state: ConnectionState): void {
    this.#state = state;
    this.#stateListeners.call();
  }

  #makeListeners(): Listeners {
    return new Listeners((error) => this.#reportFailure(error));
  }

  #reportPresence(error: unknown): void {
    if (error instanceof WebSocketRequestError && error.code !== "closed") {
      this.#report({ kind: "presence_refused", message: error.message, code: error.code });
    }
  }

  #reportSocket(error: unknown): void {
    this.#report({ kind: "connect_failed", message: `cannot make a WebSocket: ${String(error)}`, error });
  }

  #reportFailure(error: unknown): void {
    this.#report({ kind: "handler_failed", message: `a handler failed: ${String(error)}`, error });
  }

  #report(problem: Problem): void {
    try {
      if (this.#options.onProblem !== undefined) {
        this.#options.onProblem(problem);
      } else {
        console.warn(`WebSocket: ${problem.message}`);
      }
    } catch (error) {
      console.error(error);
    }
  }
}
