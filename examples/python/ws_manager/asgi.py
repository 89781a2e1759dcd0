"""Clients on the service's own port: WebSockets of Starlette and FastAPI, in an asyncio loop.

Each client has a queue of messages, which wait until the ASGI server has taken those before them. The manager
learns when a queue fills up, and a client whose queue overflows is disconnected, comes back and receives what
it missed. What a client sends is read only as fast as it is carried out.

Not here: routes (fastapi.py), and a server of its own (server.py)."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from typing import Any, Sequence

from ._library import c_text, callback, check, ffi, lib, log
from .errors import WsErrDraining, WsErrInvalid, WsError
from .manager import WebSocketManager

MAX_QUEUE_BYTES = 1048576  # that wait for a client; it is disconnected when a message finds more
QUEUE_HIGH_BYTES = MAX_QUEUE_BYTES // 2
QUEUE_LOW_BYTES = QUEUE_HIGH_BYTES // 4
MAX_MESSAGE_BYTES = 65536  # from a client
MAX_ROOMS = 1000  # in a client's query
CLOSE_SECONDS = 10  # for what is queued, and for the closing handshake

_MESSAGE_OVERHEAD = 100  # of a queued message, in bytes
_NO_DEADLINE = 2**64 - 1
_NORMAL, _NO_STATUS, _POLICY_VIOLATION, _TOO_BIG, _RESTART, _TRY_AGAIN = 1000, 1005, 1008, 1009, 1012, 1013


def _now_ms() -> int:
    return int(time.monotonic() * 1000)  # CLOCK_MONOTONIC, as a Server's threads have


async def connect(
    manager: WebSocketManager,
    websocket: Any,
    user_id: str | None = None,
    *,
    after: str | None = None,
    former_connection_id: str | None = None,
    rooms: Sequence[str] = (),
    with_state: bool = False,
    last_events: int = 0,
) -> Client:
    """Accepts a WebSocket and registers it. Its endpoint then awaits run() of the result.

    `after`, `former_connection_id` and `rooms` are of a client that comes back (lib/protocol/README.md). If the
    manager cannot take the client, the WebSocket is closed and the exception is raised."""
    options = ffi.new("ws_connect_options *")
    lib.ws_connect_options_init_size(options, ffi.sizeof("ws_connect_options"))
    names = [ffi.new("char[]", c_text(room, "room")) for room in rooms]
    kept = [ffi.NULL if text is None else ffi.new("char[]", c_text(text, "text"))
            for text in (user_id, after, former_connection_id)]  # fmt: skip
    room_array = ffi.new("char *[]", names) if names else ffi.NULL
    options.user_id, options.after, options.former_connection_id = kept
    options.rooms, options.n_rooms = room_array, len(names)
    options.with_state, options.last_events = with_state, last_events
    await websocket.accept()
    try:
        return Client(manager, websocket, options)
    except WsError as error:
        code = (_POLICY_VIOLATION if isinstance(error, WsErrInvalid)
                else _RESTART if isinstance(error, WsErrDraining) else _TRY_AGAIN)  # fmt: skip
        await websocket.close(code, str(error)[:100])
        raise


async def serve(manager: WebSocketManager, websocket: Any, user_id: str | None = None) -> None:
    """Serves a WebSocket to its end, with the query's `after`, `rooms`, `connection_id`, `state` and `last`."""
    query = websocket.query_params
    rooms = [room for room in query.get("rooms", "").split(",") if room]
    last = query.get("last", "0")
    try:
        if len(rooms) > MAX_ROOMS or not (last.isascii() and last.isdecimal() and len(last) < 7):
            raise WsErrInvalid("too many rooms, or no number")
        client = await connect(
            manager,
            websocket,
            user_id,
            after=query.get("after"),
            former_connection_id=query.get("connection_id"),
            rooms=rooms,
            with_state=query.get("state") == "1",
            last_events=int(last),
        )
    except WsError as error:
        log.info("a WebSocket is refused: %s", error)
        if websocket.application_state.name == "CONNECTING":
            await websocket.close()
        return
    await client.run()


class Client:
    """A WebSocket that is registered as connection `id`. It belongs to its asyncio loop."""

    def __init__(self, manager: WebSocketManager, websocket: Any, options: Any) -> None:
        self._manager = manager.pointer
        self._websocket = websocket
        self._queue: deque[tuple[str, str | bytes, int]] = deque()
        self._queued_bytes = 0
        self._is_full = False
        self._has_output = asyncio.Event()
        self._resumed = asyncio.Event()
        self._end: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self._handle = ffi.new_handle(self)
        self._share = _Share.of(manager)
        options.transport = _TRANSPORT
        options.transport_data = self._handle
        made = ffi.new("ws_conn_id *")
        self._share.enter(self)
        result = lib.ws_manager_connect(self._manager, self._share.loop, options, made)
        if result != lib.WS_OK:
            self._share.leave(self)
            check(result, "cannot connect")
        self.id = made[0]

    async def run(self) -> None:
        """Serves the client until one side closes or the connection breaks."""
        reader = asyncio.ensure_future(self._read())
        writer = asyncio.ensure_future(self._write())
        code = _NO_STATUS
        try:
            await asyncio.wait((reader, writer, self._end), return_when=asyncio.FIRST_COMPLETED)
            if self._end.done():
                await asyncio.wait((reader, writer), timeout=CLOSE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            elif reader.done() and reader.exception() is None:
                code = reader.result()
        finally:
            lib.ws_manager_transport_closed(self._manager, self.id, code, ffi.NULL)
            self._share.leave(self)
            reader.cancel()
            writer.cancel()
            for failure in await asyncio.gather(reader, writer, return_exceptions=True):
                if isinstance(failure, Exception):  # most often of a client that is gone
                    log.debug("a WebSocket ended: %r", failure)

    async def _read(self) -> int:
        """Hands in what the client sends; returns the code with which it closed."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return message.get("code") or _NO_STATUS
            text = message.get("text")
            data = message["bytes"] if text is None else text.encode()
            if len(data) > MAX_MESSAGE_BYTES:
                lib.ws_manager_disconnect(self._manager, self.id, _TOO_BIG, ffi.NULL)
                return await self._never()
            while self._hand_in(data, text is not None) == lib.WS_ERR_BACKPRESSURE:
                self._resumed.clear()
                await self._resumed.wait()

    def _hand_in(self, data: bytes, is_text: bool) -> int:
        return lib.ws_manager_receive(self._manager, self.id, data, len(data), is_text)

    @staticmethod
    async def _never() -> int:
        return await asyncio.get_running_loop().create_future()

    async def _write(self) -> None:
        """Writes what is queued, and then closes if the manager has said so."""
        while True:
            while self._queue:
                kind, data, size = self._queue.popleft()
                await self._websocket.send({"type": "websocket.send", kind: data})
                self._queued_bytes -= size
                if self._is_full and self._queued_bytes <= QUEUE_LOW_BYTES:
                    self._is_full = False
                    lib.ws_manager_transport_writable(self._manager, self.id)
            if self._end.done():
                await self._websocket.close(*self._end.result())
                return
            self._has_output.clear()
            await self._has_output.wait()

    # --- what the manager asks of the transport, within ws_loop_run() ------------------------------

    def take(self, message: Any) -> int:
        if self._queued_bytes > MAX_QUEUE_BYTES:
            return lib.WS_ERR_DROPPED
        queued = self._share.python_message(message)
        self._queue.append(queued)
        self._queued_bytes += queued[2]
        self._has_output.set()
        if self._queued_bytes > QUEUE_HIGH_BYTES:
            self._is_full = True
            return lib.WS_ERR_BACKPRESSURE
        return lib.WS_OK

    def close(self, code: int, reason: str) -> None:
        self._end.set_result((code, reason))
        self._has_output.set()

    def resume(self) -> None:
        self._resumed.set()


class _Share:
    """An asyncio loop's share of a manager: a ws_loop, while there are clients."""

    _numbers = itertools.count(1)
    _shares: dict[int, _Share] = {}
    _of: dict[tuple[WebSocketManager, asyncio.AbstractEventLoop], _Share] = {}

    @classmethod
    def of(cls, manager: WebSocketManager) -> _Share:
        """That of the running loop."""
        key = (manager, asyncio.get_running_loop())
        return cls._of.get(key) or cls(key)

    @classmethod
    def wake(cls, number: int) -> None:
        """On any thread, maybe when the share has just ended."""
        share = cls._shares.get(number)
        if share is not None and not share._asyncio.is_closed():
            share._asyncio.call_soon_threadsafe(share._run)

    def __init__(self, key: tuple[WebSocketManager, asyncio.AbstractEventLoop]) -> None:
        self._key = key
        self._asyncio = key[1]
        self._number = next(self._numbers)
        self._clients: set[Client] = set()  # the library has pointers to them
        self._timer: asyncio.TimerHandle | None = None
        self._message = ffi.NULL  # the one that was queued last: most go to many clients
        self._queued: tuple[str, str | bytes, int] = ("text", "", 0)
        options = ffi.new("ws_loop_options *")
        lib.ws_loop_options_init_size(options, ffi.sizeof("ws_loop_options"))
        options.wake = _wake
        options.user_data = ffi.cast("void *", self._number)
        made = ffi.new("ws_loop **")
        check(lib.ws_loop_new(key[0].pointer, options, _now_ms(), made), "cannot make a loop")
        self.loop = made[0]
        self._of[key] = self
        self._shares[self._number] = self

    def enter(self, client: Client) -> None:
        self._clients.add(client)

    def leave(self, client: Client) -> None:
        self._clients.remove(client)
        if not self._clients:
            del self._of[self._key], self._shares[self._number]
            if self._timer is not None:
                self._timer.cancel()
            lib.ws_loop_free(self.loop)
            self.loop = ffi.NULL

    def _run(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.loop == ffi.NULL:
            return
        deadline_ms = lib.ws_loop_run(self.loop, _now_ms())
        self._forget_message()
        if deadline_ms != _NO_DEADLINE:
            delay = max(0, deadline_ms - _now_ms()) / 1000
            self._timer = self._asyncio.call_later(delay, self._run)

    def python_message(self, message: Any) -> tuple[str, str | bytes, int]:
        """A message for the queues, made once for all clients in a row that receive it."""
        if message != self._message:
            self._forget_message()
            length = ffi.new("size_t *")
            data = ffi.unpack(ffi.cast("char *", lib.ws_message_payload(message, length)), length[0])
            size = len(data) + _MESSAGE_OVERHEAD
            self._queued = ("text", data.decode(), size) if lib.ws_message_is_text(message) else ("bytes", data, size)
            self._message = lib.ws_message_ref(message)
        return self._queued

    def _forget_message(self) -> None:
        lib.ws_message_unref(self._message)
        self._message = ffi.NULL


@callback("void(void *)")
def _wake(user_data: Any) -> None:
    _Share.wake(int(ffi.cast("uintptr_t", user_data)))


@callback("int(ws_message *, void *)", error=lib.WS_ERR_DROPPED)
def _send(message: Any, transport_data: Any) -> int:
    return ffi.from_handle(transport_data).take(message)


@callback("void(uint16_t, char *, size_t, void *)")
def _close(code: int, reason: Any, length: int, transport_data: Any) -> None:
    text = ffi.unpack(reason, length).decode(errors="replace") if length > 0 else ""
    ffi.from_handle(transport_data).close(code, text)


@callback("void(void *)")
def _resume(transport_data: Any) -> None:
    ffi.from_handle(transport_data).resume()


_TRANSPORT = ffi.new("ws_transport *", {"size": ffi.sizeof("ws_transport"), "send": _send, "close": _close,
                                        "resume": _resume})  # fmt: skip
