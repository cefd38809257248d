"""Memory that a large document took while it was made, given back to the system.

The C library keeps what was freed for the next request of that size, which may never come: a web process that had
rendered a document of 10 MB stayed 80 MB larger (measured).
"""

import ctypes
import json
import sys
from typing import Any, NoReturn

import orjson

LARGE = 256 * 1024  # bytes of a document, as it is at hand
SURE = 19  # characters of a whole number that certainly fits 64 bits (the sign is one of them)
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_trim = getattr(_libc, "malloc_trim", None)  # glibc's; other C libraries do without


def give_back(size: int) -> None:
    """After a document of `size` compressed bytes was made and its parts were let go."""
    if _trim is not None and size > LARGE:
        _trim(0)


def let_go(error: Exception) -> None:
    """Before an error is kept as an answer: of the frames it came through, which hold the document that was refused.

    In a cycle with it they would stay until Python looks for cycles: 96 MB after each document that was too large (measured).
    """
    error.__context__ = None
    error.with_traceback(None)


def parsed(data: bytes) -> Any:
    """A JSON document (RFC 8259), as orjson reads it. Raises ValueError; RecursionError when it nests too deeply.

    orjson remembers keys it has seen, and those of a large document lie between its values: their memory never became
    free again (39 MB after a document of 10 MB, measured; 7 with Python's own reader, which takes half as long again).
    """
    if len(data) < LARGE:
        return orjson.loads(data)
    return json.loads(data.decode("utf-8"), parse_constant=_refuse, parse_int=_whole, parse_float=orjson.loads)


def _refuse(word: str) -> NoReturn:
    """NaN and the infinities are no JSON."""
    raise ValueError(word)


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= SURE else orjson.loads(digits)
