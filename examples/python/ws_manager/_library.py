"""Loads the shared libraries, and turns results into exceptions and exceptions into results.

Not here: the meaning of any function."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable

import cffi

from . import _definitions
from .errors import BY_CODE, WsErrInvalid, WsError

ABI = "0.1"  # the version of the libraries' interface, which is in their names

log = logging.getLogger("ws_manager")

ffi = cffi.FFI()
ffi.cdef(_definitions.CONSTANTS + _definitions.TYPES + _definitions.FUNCTIONS + _definitions.SERVER_FUNCTIONS)


def _open(variable: str, soname: str) -> Any:
    name = os.environ.get(variable, soname)
    try:
        return ffi.dlopen(name)
    except OSError as error:
        raise ImportError(f"{error}; install libwsmanager, or set {variable} to the file of its library") from None


lib = _open("WS_MANAGER_LIBRARY", f"libwsmanager.so.{ABI}")


def open_server_library() -> Any:
    """Not loaded with the package, because a service with a port of its own does not need it."""
    return _open("WS_MANAGER_SERVER_LIBRARY", f"libwsmanager-server.so.{ABI}")


def check(result: int, what: str) -> None:
    if result < 0:
        error = BY_CODE.get(result, WsError)
        raise error(f"{what}: {ffi.string(lib.ws_strerror(result)).decode()}")


def c_text(text: str | None, what: str) -> Any:
    """A text as an argument; None is NULL."""
    if text is None:
        return ffi.NULL
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise WsErrInvalid(f"{what}: not UTF-8 without NUL")
    return encoded


def py_text(text: Any) -> str | None:
    return None if text == ffi.NULL else ffi.string(text).decode()


def set_options(struct: Any, values: dict[str, Any], kept: list[Any]) -> None:
    """Sets members of a struct of options. `kept` gets what must live as long as the struct."""
    members = dict(ffi.typeof(struct).item.fields)
    for name, value in values.items():
        if name not in members:
            raise TypeError(f"unknown option {name!r}")
        if isinstance(value, str):
            value = ffi.new("char[]", c_text(value, name))
            kept.append(value)
        elif isinstance(value, (list, tuple)):
            texts = [ffi.new("char[]", c_text(text, name)) for text in value]
            kept += [*texts, value := ffi.new("char *[]", texts)]
            setattr(struct, f"n_{name}", len(texts))
        try:
            setattr(struct, name, value)
        except (TypeError, OverflowError) as error:
            raise WsErrInvalid(f"{name}: {error}") from None


def callback(c_type: str, error: int | None = None) -> Callable[[Callable[..., Any]], Any]:
    """Makes a function callable by the library, on any of its threads. An exception is logged; the library
    gets that of a WsError, or else `error`."""

    def failed(exception: type[BaseException], value: BaseException, traceback: Any) -> int | None:
        if isinstance(value, WsError) and error is not None:
            return value.code
        log.error("a callback failed", exc_info=(exception, value, traceback))
        return error

    return ffi.callback(c_type, error=error, onerror=failed)
