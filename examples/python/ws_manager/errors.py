"""The library's errors as exceptions. Each has the name of its result in include/ws_manager/error.h:
WS_ERR_NOT_FOUND is WsErrNotFound."""

from __future__ import annotations


class WsError(Exception):
    """A function of the library failed. `code` is its result."""

    code = -1000


class WsErrInvalid(WsError, ValueError):
    """An argument, option or name is not acceptable."""

    code = -1


class WsErrNoMemory(WsError, MemoryError):
    code = -2


class WsErrSystem(WsError):
    """The system refused randomness, a lock, a thread or an address."""

    code = -3


class WsErrBadJson(WsError, ValueError):
    """The data nests too deeply."""

    code = -4


class WsErrUnknownType(WsError, ValueError):
    """The event type is not registered."""

    code = -5


class WsErrTooBig(WsError, ValueError):
    code = -6


class WsErrNotFound(WsError):
    """The connection does not exist, or no longer."""

    code = -7


class WsErrAlready(WsError):
    code = -8


class WsErrNotMember(WsError):
    """The connection is not in that room."""

    code = -9


class WsErrForbidden(WsError):
    code = -10


class WsErrTooManyRooms(WsError):
    code = -11


class WsErrLimit(WsError):
    """A limit is reached, such as max_connections."""

    code = -12


class WsErrBackpressure(WsError):
    """A queue is full: try again later."""

    code = -13


class WsErrDropped(WsError):
    code = -14


class WsErrDraining(WsError):
    """The manager accepts no new connections."""

    code = -15


class WsErrClosed(WsError):
    code = -16


class WsErrForked(WsError):
    code = -17


class WsErrTimeout(WsError, TimeoutError):
    code = -18


class WsErrFailed(WsError):
    code = -19


class WsErrMisuse(WsError):
    """A library with checks refused a call in a signal handler, or on a thread that may not make it."""

    code = -20


BY_CODE: dict[int, type[WsError]] = {error.code: error for error in WsError.__subclasses__()}
