"""The types of events, and an event as an object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any


class EventType(str, Enum):
    """The types that every manager knows. Any other registered type is given by its name."""

    ORDER_CREATED = "order_created"
    ORDER_UPDATED = "order_updated"
    ORDER_STATUS_CHANGED = "order_status_changed"
    CLIENT_CREATED = "client_created"
    CLIENT_UPDATED = "client_updated"
    INVENTORY_UPDATED = "inventory_updated"
    STOCK_LOW = "stock_low"
    NOTIFICATION = "notification"
    USER_CONNECTED = "user_connected"
    USER_DISCONNECTED = "user_disconnected"


@dataclass
class WebSocketEvent:
    """An event. It gets its `timestamp` when it is sent, and its `id` unless it is sent to one connection
    only. An event that is sent again is a new one."""

    type: EventType | str
    data: Any
    timestamp: datetime | None = None  # UTC
    user_id: str | None = None
    id: str | None = None


def encode(data: Any) -> bytes:
    """JSON in UTF-8. Raises TypeError or ValueError for what JSON does not have."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def type_name(event_type: EventType | str) -> str:
    return event_type.value if isinstance(event_type, EventType) else event_type
