"""A service on FastAPI whose pages see every change: orders, clients, inventory and notifications.

It has the paths that the dashboard uses (../dashboard). The handlers are coroutines on one thread, so that a
change and its events have the same order; a handler on another thread could emit just as well."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, List, Literal, Optional

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field, StrictInt, conint
from store import Refusal, Row, Store

from ws_manager import ClientMessage, Connection, WebSocketEvent, WsErrInvalid, WsErrNotMember, ws_manager
from ws_manager.fastapi import make_router

DASHBOARD = Path(os.environ.get("DASHBOARD", Path(__file__).parent.parent / "dashboard/dist"))

app = FastAPI(title="Orders")
store = Store()


def relay(connection: Connection, message: ClientMessage) -> None:
    """A member's message to a room is sent to all its members."""
    if message.room is None:
        raise WsErrInvalid
    if not ws_manager.is_member(connection.id, message.room):
        raise WsErrNotMember
    ws_manager.broadcast_to_room(message.room, WebSocketEvent("message", message.data, user_id=connection.user_id))


ws_manager.register_event_type("message")
ws_manager.accept_message = relay
ws_manager.authorize_presence = lambda connection, room: True

# For development: a client is who it says it is. Check a token here.
app.include_router(make_router(ws_manager, lambda ws: ws.query_params.get("user_id") or None), prefix="/ws")


class ClientBody(BaseModel):
    name: str = Field(min_length=1, max_length=200)
    email: str = Field(min_length=3, max_length=254)
    phone: Optional[str] = Field(None, min_length=1, max_length=40)


class ItemBody(BaseModel):
    sku: str = Field(min_length=1, max_length=64)
    quantity: conint(strict=True, ge=1, le=1000000)


class OrderBody(BaseModel):
    client_id: StrictInt
    items: List[ItemBody] = Field(min_items=1, max_items=100)


class StatusBody(BaseModel):
    status: str = Field(max_length=16)


class StockBody(BaseModel):
    quantity: Optional[conint(strict=True, ge=0, le=1000000000)] = None
    low_stock_threshold: Optional[conint(strict=True, ge=0, le=1000000000)] = None


class NotificationBody(BaseModel):
    message: str = Field(min_length=1, max_length=1000)
    severity: Literal["info", "success", "warning", "error"] = "info"
    user_id: Optional[str] = Field(None, min_length=1, max_length=128)


def emitted(change: tuple[Row, list[Any]]) -> Row:
    """Emits the events of a change, and returns what the client of the API gets."""
    row, events = change
    for event_type, data in events:
        ws_manager.emit(event_type, data)
    return row


@app.get("/api/orders")
async def list_orders(limit: int = 50) -> dict[str, Any]:
    return {"orders": list(store.orders.values())[: -1 - max(1, min(limit, 500)) : -1]}


@app.get("/api/orders/{order_id}")
async def get_order(order_id: int) -> Row:
    return store.get_order(order_id)


@app.post("/api/orders", status_code=201)
async def create_order(body: OrderBody, response: Response) -> Row:
    order = emitted(store.create_order(body.client_id, [item.dict() for item in body.items]))
    response.headers["Location"] = f"/api/orders/{order['id']}"
    return order


@app.put("/api/orders/{order_id}")
async def update_order(order_id: int, body: OrderBody) -> Row:
    return emitted(store.update_order(order_id, body.client_id, [item.dict() for item in body.items]))


@app.patch("/api/orders/{order_id}/status")
async def set_order_status(order_id: int, body: StatusBody) -> Row:
    return emitted(store.set_status(order_id, body.status))


@app.get("/api/clients")
async def list_clients() -> dict[str, Any]:
    return {"clients": list(store.clients.values())}


@app.post("/api/clients", status_code=201)
async def create_client(body: ClientBody) -> Row:
    return emitted(store.create_client(body.name, body.email, body.phone))


@app.put("/api/clients/{client_id}")
async def update_client(client_id: int, body: ClientBody) -> Row:
    return emitted(store.update_client(client_id, body.name, body.email, body.phone))


@app.get("/api/inventory")
async def list_inventory() -> dict[str, Any]:
    return {"inventory": list(store.inventory.values())}


@app.patch("/api/inventory/{sku}")
async def update_item(sku: str, body: StockBody) -> Row:
    return emitted(store.update_item(sku, body.dict(exclude_none=True)))


@app.post("/api/notifications", status_code=202)
async def notify(body: NotificationBody) -> dict[str, str]:
    try:
        ws_manager.emit_notification(body.message, body.user_id, body.severity)
    except WsErrInvalid as invalid:
        raise Refusal(400, "invalid_field", str(invalid)) from None
    return {"status": "sent"}


def error(status: int, code: str, message: str, field: str | None) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message, "field": field}}, status)


@app.exception_handler(Refusal)
async def answer_refusal(_: Request, refusal: Refusal) -> JSONResponse:
    return error(refusal.status, refusal.code, refusal.message, refusal.field)


@app.exception_handler(RequestValidationError)
async def answer_invalid(_: Request, invalid: RequestValidationError) -> JSONResponse:
    problem = invalid.errors()[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"][1:])
    return error(400, "invalid_field", problem["msg"], field.lstrip(".") or None)


if DASHBOARD.is_dir():
    app.mount("/", StaticFiles(directory=DASHBOARD, html=True))
