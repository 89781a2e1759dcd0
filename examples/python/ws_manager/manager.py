"""The manager: connections, users, rooms and events.

Every method may be called from any thread, except `connect`, which belongs to an asyncio loop. The callbacks
run on the threads of a Server, or in the asyncio loop of the connection: they must not block. One that raises
a WsError refuses with it. Any other exception is logged, and never reaches the library."""

from __future__ import annotations

import itertools
import json
import weakref
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Callable, Iterable

from ._library import c_text, callback, check, ffi, lib, log, py_text, set_options
from .errors import WsErrForbidden, WsErrInvalid
from .events import EventType, WebSocketEvent, encode, type_name

if TYPE_CHECKING:
    from .asgi import Client

_LEVELS = (40, 30, 20, 10)  # of the library's log, as those of logging

_numbers = itertools.count(1)
# The library passes a number back, not a pointer, so that a callback never meets a freed object.
_managers: weakref.WeakValueDictionary[int, WebSocketManager] = weakref.WeakValueDictionary()


@dataclass(frozen=True)
class Connection:
    """What a callback learns of a connection."""

    id: int
    user_id: str | None


@dataclass(frozen=True)
class ClientMessage:
    """What a client has sent."""

    type: str
    room: str | None
    data: Any


class WebSocketManager:
    """Options are those of `ws_manager_options` (include/ws_manager/manager.h) that are numbers or texts, such
    as max_connections=500 or history_events=0."""

    #: A connection is registered.
    on_connect: Callable[[Connection], None] | None = None
    #: A connection has ended, with this code and reason.
    on_disconnect: Callable[[Connection, int, str], None] | None = None
    #: Whether a client may enter a room. None: every client may enter every room.
    authorize_join: Callable[[Connection, str], bool] | None = None
    #: Whether a client may know who is in a room (None as room: in the service). None: it may not.
    authorize_presence: Callable[[Connection, str | None], bool] | None = None
    #: A connection is in a room, or has left it.
    on_join: Callable[[Connection, str], None] | None = None
    on_leave: Callable[[Connection, str], None] | None = None
    #: Takes a client's message; the client gets the result as answer. None: all messages are refused.
    accept_message: Callable[[Connection, ClientMessage], Any] | None = None

    def __init__(self, **options: Any) -> None:
        number = next(_numbers)
        struct = ffi.new("ws_manager_options *")
        kept: list[Any] = []
        lib.ws_manager_options_init_size(struct, ffi.sizeof("ws_manager_options"))
        set_options(struct, options, kept)
        struct.user_data = ffi.cast("void *", number)
        struct.on_connect = _on_connect
        struct.on_disconnect = _on_disconnect
        struct.authorize_join = _authorize_join
        struct.authorize_presence = _authorize_presence
        struct.on_join = _on_join
        struct.on_leave = _on_leave
        struct.accept_message = _accept_message
        struct.log = log_line
        made = ffi.new("ws_manager **")
        _managers[number] = self
        check(lib.ws_manager_new(struct, made), "cannot make a manager")
        self.pointer = made[0]
        # Not at exit: threads of a server may still run then.
        weakref.finalize(self, lib.ws_manager_free, self.pointer).atexit = False

    # --- connections ---------------------------------------------------------------------------

    async def connect(self, websocket: Any, user_id: str | None = None, **options: Any) -> Client:
        """Accepts a WebSocket of Starlette or FastAPI and registers it: see asgi.connect()."""
        from .asgi import connect

        return await connect(self, websocket, user_id, **options)

    def disconnect(self, connection: int, code: int = 1000, reason: str = "") -> None:
        """Ends a connection, after what is queued for it."""
        check(lib.ws_manager_disconnect(self.pointer, connection, code, c_text(reason, "reason")),
              "cannot disconnect")  # fmt: skip

    def join_room(self, connection: int, room: str) -> None:
        """Puts a connection into a room. Later events for the room reach it."""
        check(lib.ws_manager_join_room(self.pointer, connection, c_text(room, "room")), f"cannot join {room!r}")

    def leave_room(self, connection: int, room: str) -> None:
        check(lib.ws_manager_leave_room(self.pointer, connection, c_text(room, "room")), f"cannot leave {room!r}")

    def is_member(self, connection: int, room: str) -> bool:
        return bool(lib.ws_manager_is_member(self.pointer, connection, c_text(room, "room")))

    # --- events --------------------------------------------------------------------------------

    def send_personal_message(self, connection: int, event: WebSocketEvent) -> None:
        """To one connection. The event gets no id, and is not kept for clients that come back."""
        self._send(event, (), lib.ws_manager_send_personal_message, connection)

    def send_to_user(self, user_id: str, event: WebSocketEvent, exclude: Iterable[int] = ()) -> None:
        """To all connections of a user, except those in `exclude`."""
        self._send(event, exclude, lib.ws_manager_send_to_user, c_text(user_id, "user_id"))

    def broadcast_to_room(self, room: str, event: WebSocketEvent, exclude: Iterable[int] = ()) -> None:
        """To the members of a room, except those in `exclude`."""
        self._send(event, exclude, lib.ws_manager_broadcast_to_room, c_text(room, "room"))

    def broadcast(self, event: WebSocketEvent, exclude: Iterable[int] = ()) -> None:
        """To everyone, except those in `exclude`."""
        self._send(event, exclude, lib.ws_manager_broadcast)

    def _send(self, event: WebSocketEvent, exclude: Iterable[int], function: Any, *to: Any) -> None:
        name, data, excluded = type_name(event.type), encode(event.data), list(exclude)
        made = ffi.new("ws_event **")
        check(lib.ws_event_new(self.pointer, c_text(name, "type"), data, len(data), made), f"cannot make {name}")
        try:
            if event.user_id is not None:
                check(lib.ws_event_set_user_id(made[0], c_text(event.user_id, "user_id")), "user_id")
            check(function(self.pointer, *to, made[0], excluded, len(excluded)), f"cannot send {name}")
            event.id = py_text(lib.ws_event_id(made[0])) or None
            event.timestamp = datetime.fromtimestamp(lib.ws_event_timestamp_ms(made[0]) / 1000, timezone.utc)
        finally:
            lib.ws_event_free(made[0])

    def register_event_type(self, event_type: str) -> None:
        """Adds a type to those of EventType."""
        check(lib.ws_manager_register_event_type(self.pointer, c_text(event_type, "type")),
              f"cannot register {event_type!r}")  # fmt: skip

    def route_event_type(self, event_type: EventType | str, room: str | None) -> None:
        """Sends what is emitted of a type to the members of a room; None: to everyone."""
        name = type_name(event_type)
        check(lib.ws_manager_route_event_type(self.pointer, c_text(name, "type"), c_text(room, "room")),
              f"cannot route {name!r}")  # fmt: skip

    def emit(self, event_type: EventType | str, data: Any) -> None:
        """To everyone, or to the room of route_event_type()."""
        name, encoded = type_name(event_type), encode(data)
        check(lib.ws_manager_emit(self.pointer, c_text(name, "type"), encoded, len(encoded)), f"cannot emit {name}")

    def emit_order_created(self, order_data: Any) -> None:
        self.emit(EventType.ORDER_CREATED, order_data)

    def emit_order_updated(self, order_data: Any) -> None:
        self.emit(EventType.ORDER_UPDATED, order_data)

    def emit_order_status_changed(self, order_data: Any) -> None:
        self.emit(EventType.ORDER_STATUS_CHANGED, order_data)

    def emit_client_created(self, client_data: Any) -> None:
        self.emit(EventType.CLIENT_CREATED, client_data)

    def emit_client_updated(self, client_data: Any) -> None:
        self.emit(EventType.CLIENT_UPDATED, client_data)

    def emit_inventory_updated(self, inventory_data: Any) -> None:
        self.emit(EventType.INVENTORY_UPDATED, inventory_data)

    def emit_stock_low(self, stock_data: Any) -> None:
        self.emit(EventType.STOCK_LOW, stock_data)

    def emit_notification(self, message: str, user_id: str | None = None, severity: str = "info") -> None:
        """To one user's connections, or without `user_id` to everyone. The severity is "info", "success",
        "warning" or "error"."""
        check(lib.ws_manager_emit_notification(self.pointer, c_text(message, "message"), c_text(user_id, "user_id"),
                                               c_text(severity, "severity")), "cannot notify")  # fmt: skip

    # --- statistics ----------------------------------------------------------------------------

    def get_stats(self) -> dict[str, Any]:
        """total_connections, unique_users, rooms (name: members), and counters."""
        text = ffi.new("char **")
        check(lib.ws_manager_get_stats(self.pointer, text, ffi.NULL), "cannot get statistics")
        try:
            return json.loads(ffi.string(text[0]))
        finally:
            lib.ws_manager_free_text(self.pointer, text[0])


# --- the library's callbacks ---------------------------------------------------------------------


def _find(user_data: Any) -> WebSocketManager | None:
    return _managers.get(int(ffi.cast("uintptr_t", user_data)))


def _connection(info: Any) -> Connection:
    return Connection(info.id, py_text(info.user_id))


@callback("ws_log_callback *")
def log_line(level: int, line: Any, user_data: Any) -> None:
    log.log(_LEVELS[min(level, 3)], "%s", py_text(line))


@callback("ws_connect_callback *")
def _on_connect(_: Any, info: Any, user_data: Any) -> None:
    manager = _find(user_data)
    if manager is not None and manager.on_connect is not None:
        manager.on_connect(_connection(info))


@callback("ws_disconnect_callback *")
def _on_disconnect(_: Any, info: Any, code: int, reason: Any, user_data: Any) -> None:
    manager = _find(user_data)
    if manager is not None and manager.on_disconnect is not None:
        manager.on_disconnect(_connection(info), code, ffi.string(reason).decode(errors="replace"))


@callback("ws_authorize_join_callback *", error=lib.WS_ERR_FORBIDDEN)
def _authorize_join(_: Any, info: Any, room: Any, user_data: Any) -> int:
    manager = _find(user_data)
    if manager is None or manager.authorize_join is None:
        return lib.WS_OK
    return lib.WS_OK if manager.authorize_join(_connection(info), py_text(room) or "") else lib.WS_ERR_FORBIDDEN


@callback("ws_authorize_presence_callback *", error=lib.WS_ERR_FORBIDDEN)
def _authorize_presence(_: Any, info: Any, room: Any, user_data: Any) -> int:
    manager = _find(user_data)
    if manager is None or manager.authorize_presence is None:
        return lib.WS_ERR_FORBIDDEN
    return lib.WS_OK if manager.authorize_presence(_connection(info), py_text(room)) else lib.WS_ERR_FORBIDDEN


@callback("ws_join_callback *")
def _on_join(_: Any, info: Any, room: Any, result: int, user_data: Any) -> None:
    manager = _find(user_data)
    if manager is not None and manager.on_join is not None and result == lib.WS_OK:
        manager.on_join(_connection(info), py_text(room) or "")


@callback("ws_leave_callback *")
def _on_leave(_: Any, info: Any, room: Any, result: int, user_data: Any) -> None:
    manager = _find(user_data)
    if manager is not None and manager.on_leave is not None and result == lib.WS_OK:
        manager.on_leave(_connection(info), py_text(room) or "")


@callback("ws_client_message_callback *", error=lib.WS_ERR_FAILED)
def _accept_message(_: Any, info: Any, message: Any, user_data: Any) -> int:
    manager = _find(user_data)
    if manager is None or manager.accept_message is None:
        raise WsErrForbidden
    try:
        data = json.loads(ffi.unpack(message.data, message.length))
    except (ValueError, RecursionError):
        raise WsErrInvalid from None
    received = ClientMessage(py_text(message.type) or "", py_text(message.room), data)
    answer = manager.accept_message(_connection(info), received)
    if answer is not None:
        encoded = encode(answer)
        return lib.ws_manager_answer(manager.pointer, message.answer, encoded, len(encoded))
    return lib.WS_OK
