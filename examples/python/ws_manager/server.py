"""A server with threads of its own (libwsmanager-server): WebSocket, Server-Sent Events and Socket.IO.

Deliveries run in C, without Python's lock. Only what a client asks for (connecting, entering a room, sending a
message) calls Python, if the manager or the server has a function for it."""

from __future__ import annotations

import itertools
import weakref
from typing import Any, Callable

from ._library import c_text, callback, check, ffi, lib, open_server_library, py_text, set_options
from .errors import BY_CODE, WsErrInvalid, WsError
from .manager import WebSocketManager, log_line

_PROBLEM_BYTES = 256

_numbers = itertools.count(1)
# Until stop(): the garbage collector, which may run on a thread of the server, must not end it.
_servers: dict[int, Server] = {}


class Refused(Exception):
    """Raised by `authenticate`: the client gets this HTTP status and text. A browser gets 401 and 403 as the
    close codes 4401 and 4403."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text


class Handshake:
    """A client's request, during the call of `authenticate`."""

    def __init__(self, pointer: Any) -> None:
        self._pointer = pointer

    @property
    def path(self) -> str:
        return py_text(lib.ws_handshake_path(self._pointer)) or ""

    def header(self, name: str) -> str | None:
        value = lib.ws_handshake_header(self._pointer, c_text(name, "name"))
        return None if value == ffi.NULL else ffi.string(value).decode("latin-1")

    def query(self, name: str) -> str | None:
        """A parameter of the query, decoded."""
        value, length = ffi.new("char **"), ffi.new("size_t *")
        result = lib.ws_handshake_query_parameter(self._pointer, c_text(name, "name"), value, length)
        if result == lib.WS_ERR_NOT_FOUND:
            return None
        try:
            check(result, name)
            return ffi.unpack(value[0], length[0]).decode()
        except (WsErrInvalid, UnicodeDecodeError):
            raise Refused(400, f"{name} is not percent-encoded UTF-8") from None


class Server:
    """Serves clients at /ws, /events and /socket.io/ from its making until stop(), or the end of `with` or
    of the process.

    `authenticate` returns a client's user id, or None for an anonymous client, or raises Refused. It runs on
    the server's threads. Without it every client is anonymous. Further options are those of
    `ws_server_options` (include/ws_manager/server.h) that are numbers, texts or lists of texts, such as threads=2,
    tls_cert_file="cert.pem", or origins=["https://example.com"] for pages of another server."""

    def __init__(
        self,
        manager: WebSocketManager,
        port: int = 8080,
        host: str = "127.0.0.1",
        *,
        authenticate: Callable[[Handshake], str | None] | None = None,
        **options: Any,
    ) -> None:
        library = open_server_library()
        self.manager = manager
        self.library = library
        self.authenticate = authenticate
        number = next(_numbers)
        struct = ffi.new("ws_server_options *")
        problem = ffi.new("char[]", _PROBLEM_BYTES)
        kept: list[Any] = []
        library.ws_server_options_init_size(struct, ffi.sizeof("ws_server_options"))
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        set_options(struct, {"listen": address, **options}, kept)
        struct.log = log_line
        struct.problem = problem
        struct.problem_size = _PROBLEM_BYTES
        endpoints: list[Any] = []
        if authenticate is not None:
            endpoints = _make_endpoints(manager, number)
            routes = _make_routes(endpoints, kept)
            struct.routes, struct.n_routes = routes, len(routes)
        made = ffi.new("ws_server **")
        _servers[number] = self
        result = library.ws_server_start(manager.pointer, struct, made)
        # Also at exit, while its threads can still call Python.
        self._free = weakref.finalize(self, _free, library, made[0], endpoints, number)
        if result != lib.WS_OK:
            self._free()
            error = BY_CODE.get(result, WsError)
            raise error(py_text(problem) or "the server cannot start")
        self.url = py_text(library.ws_server_url(made[0])) or ""

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        """Asks every client to reconnect, after what is queued for it, and ends the threads. Not for the
        server's callbacks."""
        self._free()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()


def _make_routes(endpoints: list[Any], kept: list[Any]) -> Any:
    routes = ffi.new("ws_server_route[]", 4)
    for route, path, endpoint, kind in zip(
        routes,
        (b"/ws", b"/events", b"/socket.io", b"/socket.io/"),
        (endpoints[0], endpoints[0], endpoints[1], endpoints[1]),
        (lib.WS_SERVER_WEBSOCKET, lib.WS_SERVER_EVENTS, lib.WS_SERVER_SOCKETIO, lib.WS_SERVER_SOCKETIO),
    ):
        kept.append(ffi.new("char[]", path))
        route.path, route.endpoint, route.kind = kept[-1], endpoint, kind
    return routes


def _make_endpoints(manager: WebSocketManager, number: int) -> list[Any]:
    """Those of the JSON protocol and of Socket.IO."""
    endpoints: list[Any] = []
    for protocol in (lib.WS_PROTOCOL_JSON, lib.WS_PROTOCOL_SOCKETIO):
        options = ffi.new("ws_endpoint_options *")
        lib.ws_endpoint_options_init_size(options, ffi.sizeof("ws_endpoint_options"))
        options.protocol = protocol
        options.accept_handshake = _accept_handshake
        options.allow_origin = _allow_origin
        options.user_data = ffi.cast("void *", number)
        made = ffi.new("ws_endpoint **")
        result = lib.ws_endpoint_new(manager.pointer, options, made)
        if result != lib.WS_OK:
            for endpoint in endpoints:
                lib.ws_endpoint_free(endpoint)
            check(result, "cannot make an endpoint")
        endpoints.append(made[0])
    return endpoints


def _free(library: Any, server: Any, endpoints: list[Any], number: int) -> None:
    library.ws_server_free(server)
    for endpoint in endpoints:
        lib.ws_endpoint_free(endpoint)
    del _servers[number]


@callback("ws_allow_origin_callback *", error=lib.WS_ERR_FORBIDDEN)
def _allow_origin(pointer: Any, user_data: Any) -> int:
    server = _servers.get(int(ffi.cast("uintptr_t", user_data)))
    return lib.WS_ERR_FORBIDDEN if server is None else server.library.ws_server_check_page(pointer)


@callback("ws_accept_handshake_callback *", error=lib.WS_ERR_FAILED)
def _accept_handshake(pointer: Any, user_data: Any) -> int:
    server = _servers.get(int(ffi.cast("uintptr_t", user_data)))
    if server is None or server.authenticate is None:
        return lib.WS_ERR_FORBIDDEN
    result = server.library.ws_server_check_page(pointer)
    if result != lib.WS_OK:
        return result
    handshake = Handshake(pointer)
    try:
        user_id = server.authenticate(handshake)
        if user_id is not None:
            check(lib.ws_handshake_set_user_id(pointer, c_text(user_id, "user_id")), "user_id")
    except Refused as refused:
        lib.ws_handshake_refuse(pointer, refused.status, c_text(refused.text or None, "text"))
        return lib.WS_ERR_FORBIDDEN
    except WsErrInvalid:
        lib.ws_handshake_refuse(pointer, 400, b"the user id is not acceptable")
        raise
    finally:
        handshake._pointer = ffi.NULL
    return lib.WS_OK
