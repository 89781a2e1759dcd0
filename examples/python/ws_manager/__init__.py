"""Live updates for browsers, by libwsmanager.

    from ws_manager import emit_order_created, ws_manager

`ws_manager` is the manager of the process, and the functions emit_*() send through it, from any thread.
Clients connect through a route of FastAPI or Starlette (ws_manager.fastapi, ws_manager.asgi), or through a
Server, which has threads and a port of its own."""

from .errors import (
    WsErrAlready,
    WsErrBackpressure,
    WsErrBadJson,
    WsErrClosed,
    WsErrDraining,
    WsErrDropped,
    WsErrFailed,
    WsErrForbidden,
    WsErrForked,
    WsErrInvalid,
    WsErrLimit,
    WsErrMisuse,
    WsErrNoMemory,
    WsErrNotFound,
    WsErrNotMember,
    WsError,
    WsErrSystem,
    WsErrTimeout,
    WsErrTooBig,
    WsErrTooManyRooms,
    WsErrUnknownType,
)
from .events import EventType, WebSocketEvent
from .manager import ClientMessage, Connection, WebSocketManager
from .server import Handshake, Refused, Server

ws_manager = WebSocketManager()

emit_order_created = ws_manager.emit_order_created
emit_order_updated = ws_manager.emit_order_updated
emit_order_status_changed = ws_manager.emit_order_status_changed
emit_client_created = ws_manager.emit_client_created
emit_client_updated = ws_manager.emit_client_updated
emit_inventory_updated = ws_manager.emit_inventory_updated
emit_stock_low = ws_manager.emit_stock_low
emit_notification = ws_manager.emit_notification

__all__ = [
    "ClientMessage",
    "Connection",
    "EventType",
    "Handshake",
    "Refused",
    "Server",
    "WebSocketEvent",
    "WebSocketManager",
    "WsErrAlready",
    "WsErrBackpressure",
    "WsErrBadJson",
    "WsErrClosed",
    "WsErrDraining",
    "WsErrDropped",
    "WsErrFailed",
    "WsErrForbidden",
    "WsErrForked",
    "WsErrInvalid",
    "WsErrLimit",
    "WsErrMisuse",
    "WsErrNoMemory",
    "WsErrNotFound",
    "WsErrNotMember",
    "WsErrSystem",
    "WsErrTimeout",
    "WsErrTooBig",
    "WsErrTooManyRooms",
    "WsErrUnknownType",
    "WsError",
    "emit_client_created",
    "emit_client_updated",
    "emit_inventory_updated",
    "emit_notification",
    "emit_order_created",
    "emit_order_status_changed",
    "emit_order_updated",
    "emit_stock_low",
    "ws_manager",
]
