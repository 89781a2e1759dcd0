"""Orders, clients and inventory in memory. A change returns the events that it causes.

Not here: HTTP, and sending the events (service.py)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Iterator

from ws_manager import EventType

Row = dict[str, Any]
Events = list[tuple[EventType, Row]]

MOST_CLIENTS = 1000
MOST_ORDERS = 10000  # the oldest are dropped
NEXT_STATUSES = {
    "pending": ("confirmed", "cancelled"),
    "confirmed": ("shipped", "cancelled"),
    "shipped": ("delivered",),
    "delivered": (),
    "cancelled": (),
}


class Refusal(Exception):
    """A change that is not possible."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.field = status, code, message, field


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _not_found() -> Refusal:
    return Refusal(404, "not_found", "nothing exists at this path")


class Store:
    def __init__(self) -> None:
        self.clients: dict[int, Row] = {}
        self.orders: dict[int, Row] = {}
        self.inventory: dict[str, Row] = {}
        self._last_order = 0
        for name, email, phone in (
            ("Ada Lovelace", "ada@example.com", "+44 20 7946 0001"),
            ("Grace Hopper", "grace@example.com", "+1 212 555 0102"),
            ("Alan Turing", "alan@example.com", None),
        ):
            self.create_client(name, email, phone)
        for sku, name, quantity, threshold, price in (
            ("WIDGET-1", "Widget", 100000, 100, 1999),
            ("GADGET-1", "Gadget", 50000, 50, 4950),
            ("CABLE-1", "Cable, 2 m", 200000, 500, 795),
            ("SENSOR-1", "Temperature sensor", 5000, 100, 2490),
            ("BATTERY-1", "Battery pack", 1000, 50, 3275),
            ("LIMITED-1", "Limited edition", 10, 5, 19900),
        ):
            self.inventory[sku] = {"sku": sku, "name": name, "quantity": quantity, "low_stock_threshold": threshold,
                                   "price_cents": price, "updated_at": _now()}  # fmt: skip

    # --- clients ---------------------------------------------------------------------------------

    def create_client(self, name: str, email: str, phone: str | None) -> tuple[Row, Events]:
        if len(self.clients) == MOST_CLIENTS:
            raise Refusal(409, "full", "the limit of clients is reached")
        client = {"id": len(self.clients) + 1, "created_at": _now()}
        return self._write_client(client, name, email, phone, EventType.CLIENT_CREATED)

    def update_client(self, client_id: int, name: str, email: str, phone: str | None) -> tuple[Row, Events]:
        if client_id not in self.clients:
            raise _not_found()
        return self._write_client(self.clients[client_id], name, email, phone, EventType.CLIENT_UPDATED)

    def _write_client(self, client: Row, name: str, email: str, phone: str | None, event: EventType) -> tuple[Row, Events]:
        if not all(email.partition("@")[::2]) or not email.isprintable():
            raise Refusal(400, "invalid_field", "must be an e-mail address", "email")
        if any(c["email"].lower() == email.lower() and c["id"] != client["id"] for c in self.clients.values()):
            raise Refusal(409, "duplicate_email", "another client has this e-mail address", "email")
        client = {**client, "name": name, "email": email, "phone": phone}
        self.clients[client["id"]] = client
        return client, [(event, client)]

    # --- inventory -------------------------------------------------------------------------------

    def update_item(self, sku: str, changes: Row) -> tuple[Row, Events]:
        if sku not in self.inventory:
            raise _not_found()
        events = list(self._write_item(sku, changes))
        return self.inventory[sku], events

    def _write_item(self, sku: str, changes: Row) -> Iterator[tuple[EventType, Row]]:
        before = self.inventory[sku]
        item = self.inventory[sku] = {**before, **changes, "updated_at": _now()}
        yield EventType.INVENTORY_UPDATED, item
        if item["quantity"] < before["quantity"] and item["quantity"] <= item["low_stock_threshold"]:
            yield EventType.STOCK_LOW, item

    def _move_stock(self, quantities: dict[str, int]) -> Events:
        """Adds these quantities, or takes those that are negative."""
        events: Events = []
        for sku, quantity in quantities.items():
            if quantity != 0:
                events += self._write_item(sku, {"quantity": self.inventory[sku]["quantity"] + quantity})
        return events

    # --- orders ----------------------------------------------------------------------------------

    def get_order(self, order_id: int) -> Row:
        if order_id not in self.orders:
            raise _not_found()
        return self.orders[order_id]

    def create_order(self, client_id: int, items: list[Row]) -> tuple[Row, Events]:
        order = {"id": self._last_order + 1, "status": "pending", "created_at": _now(), "items": []}
        result = self._write_order(order, client_id, items, EventType.ORDER_CREATED)
        self._last_order += 1
        if len(self.orders) > MOST_ORDERS:
            del self.orders[next(iter(self.orders))]
        return result

    def update_order(self, order_id: int, client_id: int, items: list[Row]) -> tuple[Row, Events]:
        order = self.get_order(order_id)
        if order["status"] != "pending":
            raise Refusal(409, "invalid_status", "only a pending order can be changed")
        return self._write_order(order, client_id, items, EventType.ORDER_UPDATED)

    def _write_order(self, order: Row, client_id: int, items: list[Row], event: EventType) -> tuple[Row, Events]:
        if client_id not in self.clients:
            raise Refusal(400, "unknown_client", "this client does not exist", "client_id")
        wanted: dict[str, int] = {}
        for i, item in enumerate(items):
            if item["sku"] not in self.inventory:
                raise Refusal(400, "unknown_sku", "this product does not exist", f"items[{i}].sku")
            wanted[item["sku"]] = wanted.get(item["sku"], 0) + item["quantity"]
        moves = {line["sku"]: line["quantity"] for line in order["items"]}  # what it had goes back
        for sku, quantity in wanted.items():
            moves[sku] = moves.get(sku, 0) - quantity
            if self.inventory[sku]["quantity"] + moves[sku] < 0:
                i = next(i for i, item in enumerate(items) if item["sku"] == sku)
                raise Refusal(409, "insufficient_stock", f"not enough of {sku} in stock", f"items[{i}].quantity")
        lines = [{"sku": sku, "name": self.inventory[sku]["name"], "quantity": quantity,
                  "unit_price_cents": self.inventory[sku]["price_cents"]} for sku, quantity in wanted.items()]  # fmt: skip
        order = {**order, "client_id": client_id, "client_name": self.clients[client_id]["name"], "items": lines,
                 "total_cents": sum(line["quantity"] * line["unit_price_cents"] for line in lines),
                 "updated_at": _now()}  # fmt: skip
        self.orders[order["id"]] = order
        return order, [(event, order), *self._move_stock(moves)]

    def set_status(self, order_id: int, status: str) -> tuple[Row, Events]:
        order = self.get_order(order_id)
        old = order["status"]
        if status not in NEXT_STATUSES:
            raise Refusal(400, "invalid_field", "must be " + ", ".join(NEXT_STATUSES), "status")
        if status not in NEXT_STATUSES[old]:
            raise Refusal(409, "invalid_transition", f"an order cannot change from {old} to {status}", "status")
        order = self.orders[order_id] = {**order, "status": status, "updated_at": _now()}
        changed = {**order, "old_status": old, "new_status": status}
        returned = {line["sku"]: line["quantity"] for line in order["items"]} if status == "cancelled" else {}
        return changed, [(EventType.ORDER_STATUS_CHANGED, changed), *self._move_stock(returned)]
