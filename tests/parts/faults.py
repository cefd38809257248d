"""Ways to misbehave, for `Recorder.misbehave`: each makes a function of (handler, the plain answer)."""

import socket
import time
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.parts.recorder import Fault, Handler

Plain = Callable[[], None]


def status(code: int, body: bytes = b'{"error":"trouble"}', **headers: str) -> "Fault":
    """Answer with this code."""
    return lambda handler, _: handler.send(code, body, **headers)


def redirect(location: str, code: int = 302) -> "Fault":
    """Point elsewhere."""
    return lambda handler, _: handler.send(code, b"", location=location)


def garbage(body: bytes = b"<html>not a registry</html>") -> "Fault":
    """200 with something that is no answer."""
    return lambda handler, _: handler.send(200, body)


def hang(handler: "Handler", _: Plain) -> None:
    """Take the request and say nothing."""
    handler.server.recorder.over.wait(120)
    handler.close_connection = True


def close(handler: "Handler", _: Plain) -> None:
    """Take the request and hang up."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def slow(seconds: float) -> "Fault":
    """The right answer, later."""

    def answer(handler: "Handler", plain: Plain) -> None:
        handler.server.recorder.over.wait(seconds)
        plain()

    return answer


def truncated(body: bytes, promised: int | None = None) -> "Fault":
    """Promise more than is sent, then hang up."""

    def answer(handler: "Handler", _: Plain) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(promised or len(body) * 2))
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return answer


def drip(body: bytes, *, pause: float = 0.2) -> "Fault":
    """A byte at a time."""

    def answer(handler: "Handler", _: Plain) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for place in range(len(body)):
            handler.wfile.write(body[place : place + 1])
            if handler.server.recorder.over.wait(pause):
                return

    return answer


def endless(pieces: int = 4000) -> "Fault":
    """Chunked JSON that does not end (bounded at 64 KB times `pieces`, so that a failing test ends)."""

    def answer(handler: "Handler", _: Plain) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"1\r\n[\r\n")
        for _piece in range(pieces):
            handler.wfile.write(b"10000\r\n" + b" " * 65536 + b"\r\n")

    return answer


def bomb(size: int = 128 * 1024 * 1024) -> "Fault":
    """A small gzip body, of one member, that unpacks to `size` bytes of blanks."""

    def answer(handler: "Handler", _: Plain) -> None:
        packer, blanks = zlib.compressobj(level=1, wbits=31), b" " * (1024 * 1024)
        packed = b"".join(packer.compress(blanks) for _piece in range(size // len(blanks))) + packer.flush()
        handler.send(200, packed, content_encoding="gzip")

    return answer


def first(count: int, fault: "Fault") -> "Fault":
    """Misbehave for the first `count` requests, then be plain."""
    left = [count]

    def answer(handler: "Handler", plain: Plain) -> None:
        left[0] -= 1
        if left[0] >= 0:
            fault(handler, plain)
        else:
            plain()

    return answer


def gate(until: Callable[[], bool], *, seconds: float = 20) -> "Fault":
    """Hold the right answer back until `until()`: to have many askers wait at once."""

    def answer(_handler: "Handler", plain: Plain) -> None:
        deadline = time.monotonic() + seconds
        while not until() and time.monotonic() < deadline:
            time.sleep(0.02)
        plain()

    return answer
