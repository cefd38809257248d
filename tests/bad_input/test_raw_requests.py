"""Requests no client sends, byte for byte: smuggling, odd lines, odd methods, whole addresses (row R6 of the threats).

Each is sent on a connection of its own, all at once; the server closes every one, and nothing it holds has changed.
"""

import contextlib
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.parts.gate import Gate, Place

CRLF = "\r\n"
SECOND = "GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass(frozen=True)
class Raw:
    """A request: its first line, further lines, what follows. `{p}` is the registry's path."""

    line: str
    lines: tuple[str, ...] = ()
    after: str = ""
    host: str = "Host: 127.0.0.1"
    end: str = CRLF

    def wire(self, place: Place) -> bytes:
        fixed = [self.line.replace("{p}", place.path), *([self.host] if self.host else []), f"Authorization: Bearer {place.tokens['bob']}"]
        return (self.end.join([*fixed, *self.lines, "", ""]) + self.after).encode("latin-1")


def body(*lines: str, after: str = "0\r\n\r\n", version: str = "1.1") -> Raw:
    """A publish with these lines about its length."""
    return Raw(f"PUT {{p}}/smuggler HTTP/{version}", lines, after + SECOND)


def get(*lines: str, path: str = "/healthz", **more: str) -> Raw:
    return Raw(f"GET {path} HTTP/1.1", lines, **more)


CHUNKED = "Transfer-Encoding: chunked"
# The exact status. A whole address is answered as our own (RFC 9112, section 3.2.2), and asked nowhere.
# Where a second request follows the first, it must not be answered.
CASES: dict[str, tuple[Raw, int]] = {
    "length and chunked": (body(CHUNKED, "Content-Length: 5"), 400),
    "chunked and length": (body("Content-Length: 5", CHUNKED), 400),
    "chunked twice, then not": (body(CHUNKED, "Transfer-Encoding: identity"), 400),
    "a coding nobody knows": (body("Transfer-Encoding: xchunked"), 400),
    "chunked not last": (body("Transfer-Encoding: chunked, gzip"), 400),
    "chunked behind a vertical tab": (body("Transfer-Encoding:\x0bchunked"), 400),
    "chunked before a NUL": (body("Transfer-Encoding: chunked\0"), 400),
    "chunked in HTTP 1.0": (body(CHUNKED, version="1.0"), 400),
    "a space before the colon": (body("Transfer-Encoding : chunked"), 400),
    "a folded line": (body("Transfer-Encoding:\r\n chunked"), 400),
    "two lengths": (body("Content-Length: 2", "Content-Length: 3", after="{}"), 400),
    "a list of lengths": (body("Content-Length: 2, 3", after="{}"), 400),
    "a length with a sign": (body("Content-Length: +2", after="{}"), 400),
    "a negative length": (body("Content-Length: -2", after="{}"), 400),
    "a length in hex": (body("Content-Length: 0x2", after="{}"), 400),
    "a length with a blank inside": (body("Content-Length: 1 2", after="{}"), 400),
    "a length beyond counting": (body(f"Content-Length: {10**30}", after="{}"), 400),
    "a length beyond the limit": (body(f"Content-Length: {10**15}", after="{}"), 413),
    "a chunk beyond counting": (body(CHUNKED, after="FFFFFFFFFFFFFFFFF\r\n"), 400),
    "a negative chunk": (body(CHUNKED, after="-1\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk in no number": (body(CHUNKED, after="xyz\r\n{}\r\n0\r\n\r\n"), 400),
    "a chunk without its end": (body(CHUNKED, after="2\r\n{}0\r\n\r\n"), 400),
    "an endless extension": (body(CHUNKED, after="2;" + "a" * 100_000 + "\r\n{}\r\n0\r\n\r\n"), 400),
    "a whole address elsewhere": (get(path="http://registry.example.org/"), 302),
    "a whole address with a password": (get(path="http://us:them@registry.example.org/healthz"), 200),
    "a whole address of another kind": (get(path="ftp://registry.example.org/healthz"), 200),
    "CONNECT": (Raw("CONNECT registry.example.org:443 HTTP/1.1"), 405),
    "TRACE": (Raw("TRACE / HTTP/1.1"), 405),
    "an asterisk": (Raw("OPTIONS * HTTP/1.1"), 404),
    "a method in small letters": (Raw("get /healthz HTTP/1.1"), 405),
    "a method nobody knows": (Raw("BREW {p}/x HTTP/1.1"), 405),
    "a very long method": (Raw("A" * 100_000 + " / HTTP/1.1"), 405),
    "a method with a colon": (Raw("GE:T / HTTP/1.1"), 400),
    "no version": (Raw("GET /", host=""), 400),
    "a version to come": (Raw("GET / HTTP/3.0"), 400),
    "HTTP 2 at once": (Raw("PRI * HTTP/2.0", host="", after="SM\r\n\r\n"), 400),
    "no host": (get(host=""), 400),
    "two hosts": (get("Host: registry.example.org", path="/login"), 400),
    "an empty line first, and no more": (Raw("", host=""), 400),
    "a bare CR": (get("X-Odd: a\rb"), 400),
    "a NUL in a header": (get("X-Odd: a\0b"), 400),
    "a NUL in the path": (get(path="/a\0b"), 400),
    "an escaped NUL": (get(path="{p}/a%00b"), 400),
    "escaped line ends": (get(path="{p}/a%0d%0aSet-Cookie:%20a=b"), 400),
    "a blank in the path": (get(path="/a b"), 400),
    "a path in Latin-1": (get(path="/\xe9"), 400),
    "out of the static files": (get(path="/static/../../config/settings.py"), 404),
    "out of them, escaped": (get(path="/static/%2e%2e/%2e%2e/config/settings.py"), 404),
    "a very long path": (get(path="/" + "a" * 200_000), 414),
    "a very long header": (get("X-Odd: " + "a" * 1_000_000), 431),
    "very many headers": (get(*["X-Odd: a"] * 2000), 431),
    "a header without a name": (get(": a"), 400),
    "a header without a colon": (get("odd"), 400),
    "TLS": (Raw("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", host=""), 400),
    "noise": (Raw("".join(map(chr, range(256))), host=""), 400),
    "HTTP 2 by upgrade": (get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", path="/-/odd"), 404),
    "a web socket": (get("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", path="/-/odd"), 404),
}  # fmt: skip


def exchange(place: Place, raw: bytes) -> bytes:
    """Everything the server says until it hangs up."""
    got = b""
    with socket.create_connection(("127.0.0.1", place.gate.server.port), timeout=30) as line, contextlib.suppress(ConnectionError):
        line.sendall(raw)
        while piece := line.recv(65536):
            got += piece
    return got


@pytest.fixture(scope="module")
def said(curt_gate: Gate) -> dict[str, bytes]:
    """What came back to each case; asked once, and seen to have changed nothing."""
    place = curt_gate.workspace()
    with ThreadPoolExecutor(16) as pool, curt_gate.unchanged():
        answers = dict(zip(CASES, pool.map(lambda case: exchange(place, CASES[case][0].wire(place)), CASES), strict=True))
    assert place.as_("rita").get("/-/ping").status == 200
    assert "smuggled" not in curt_gate.server.log()
    return answers


@pytest.mark.parametrize("case", CASES)
def test_an_odd_request_is_refused_and_the_connection_ends(said: dict[str, bytes], case: str) -> None:
    reply = said[case]
    assert reply.startswith(b"HTTP/1."), reply[:300]
    assert int(reply.split(b" ", 2)[1]) == CASES[case][1], reply[:300]
    assert reply.count(b"HTTP/1.") <= 1, "one request, one answer"
    assert b"Traceback" not in reply
    assert b"registry.example.org" not in reply, "nothing was asked elsewhere, and nobody is sent there"
    assert b"set-cookie: a=b" not in reply.lower()
