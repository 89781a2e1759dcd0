"""Routes for FastAPI: `app.include_router(router, prefix="/ws")` serves WebSockets at /ws, and the statistics
at /ws/stats.

An application of Starlette has its own route, which awaits asgi.serve()."""

from __future__ import annotations

import inspect
from ipaddress import ip_address
from typing import Any, Awaitable, Callable, Collection
from urllib.parse import urlsplit

from fastapi import APIRouter, WebSocket

from . import ws_manager
from .asgi import serve
from .manager import WebSocketManager
from .server import Refused

Authenticate = Callable[[WebSocket], "str | None | Awaitable[str | None]"]


def make_router(
    manager: WebSocketManager, authenticate: Authenticate | None = None, origins: Collection[str] = ()
) -> APIRouter:
    """`authenticate` returns a client's user id, or None for an anonymous client, or raises Refused; it may be a
    coroutine. Without it every client is anonymous. `origins` are those whose pages may connect, such as
    "https://example.com", or "*" for all, beside pages of this service itself by its address or as localhost. The
    statistics are for everyone who reaches the route."""
    routes = APIRouter()

    @routes.websocket("")
    async def websocket_route(websocket: WebSocket) -> None:
        user_id = None
        try:
            if not _may_connect(websocket.headers.get("origin"), websocket.headers.get("host"), origins):
                raise Refused(403, "pages of this origin may not connect")
            if authenticate is not None:
                result = authenticate(websocket)
                user_id = await result if inspect.isawaitable(result) else result
        except Refused as refused:
            await _refuse(websocket, refused)
            return
        await serve(manager, websocket, user_id)

    @routes.get("/stats")
    def stats() -> dict[str, Any]:
        return manager.get_stats()

    return routes


def _may_connect(origin: str | None, host: str | None, origins: Collection[str]) -> bool:
    """Another name than localhost could be one that somebody makes point here (DNS rebinding)."""
    if origin is None or origin in origins or "*" in origins:
        return True
    try:
        page = urlsplit(origin)
        if page.hostname is None or page.netloc != host:
            return False
        return page.hostname == "localhost" or bool(ip_address(page.hostname))
    except ValueError:
        return False


async def _refuse(websocket: WebSocket, refused: Refused) -> None:
    """A browser's script cannot see an HTTP status, so it gets a close code."""
    if refused.status in (401, 403) and "origin" in websocket.headers:
        await websocket.accept()
        await websocket.close(4000 + refused.status, refused.text)
    else:
        await websocket.close()


router = make_router(ws_manager)
