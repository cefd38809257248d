"""Slow heads, slow bodies and silent connections are cut by the product's own set-up (row R2 of the threats)."""

import contextlib
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from config.management.commands import serve
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack

CLIENTS = 200
ALLOWED = 30.0  # seconds a slow client may have


def test_the_product_as_it_is_served_cuts_within_thirty_seconds() -> None:
    words = serve._granian()
    limit = int(words[words.index("--http1-header-read-timeout") + 1]) / 1000
    assert 1 <= limit <= ALLOWED
    assert 1 <= settings.BODY_IDLE + settings.BODY_GRACE <= ALLOWED


@pytest.fixture(scope="module")
def curt(curt_gate: Gate) -> Place:
    return curt_gate.workspace()


def head(place: Place, method: str, path: str, *lines: str) -> bytes:
    """The head of a request of bob's."""
    fixed = (f"{method} {place.path}{path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {place.tokens['bob']}")
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


def until_closed(place: Place, first: bytes, drip: bytes, *, seconds: float = 12) -> tuple[bytes, float]:
    """Send `first`, then `drip` every now and then, until the server hangs up: what it said, after how long."""
    begun, got = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", place.gate.server.port), timeout=0.2) as line:
        line.sendall(first)
        while time.monotonic() - begun < seconds:
            try:
                piece = line.recv(65536)
            except TimeoutError:
                with contextlib.suppress(OSError):
                    line.sendall(drip)
                continue
            except ConnectionResetError:
                return got, time.monotonic() - begun
            if not piece:
                return got, time.monotonic() - begun
            got += piece
    pytest.fail(f"not cut within {seconds} s: {got[:200]!r}")


@pytest.mark.parametrize(
    ("first", "drip"), [(b"", b""), (b"GET / HT", b""), (b"GET / HTTP/1.1\r\nX: ", b"a")], ids=["silent", "stopped", "drip"]
)
def test_a_slow_head_is_cut(curt: Place, first: bytes, drip: bytes) -> None:
    with curt.gate.unchanged():
        said, after = until_closed(curt, first, drip)
    assert (said, after < 10) == (b"", True)


def test_an_idle_connection_is_closed(curt: Place) -> None:
    said, after = until_closed(curt, head(curt, "GET", "/-/ping"), b"")
    assert (said[:15], said.count(b"HTTP/1.1 "), after < 10) == (b"HTTP/1.1 200 OK", 1, True)


@pytest.mark.parametrize("drip", [b"", b" "], ids=["stopped", "drip"])
@pytest.mark.parametrize("line", ["Content-Length: 100000", "Transfer-Encoding: chunked"], ids=["length", "chunked"])
def test_a_slow_body_is_408(curt: Place, line: str, drip: bytes) -> None:
    chunked = line.startswith("Transfer")
    piece = b"1\r\n" + drip + b"\r\n" if chunked and drip else drip
    with curt.gate.unchanged():
        said, after = until_closed(curt, head(curt, "PUT", "/slow", line), piece)
    assert (said[:13], b"too slowly" in said, after < 10) == (b"HTTP/1.1 408 ", True, True), said[:300]
    assert curt.as_("rita").get("/slow").status == 404


def test_a_body_that_is_long_but_comes_is_taken(curt: Place) -> None:
    assert curt.publish(pack("long", files={"data.bin": bytes(range(256)) * 20_000})).status == 201


@contextlib.contextmanager
def crowd(place: Place) -> Iterator[None]:
    """Two hundred slow clients: half stop in their heads, half in their bodies."""
    begins = [head(place, "PUT", "/crowd", "Content-Length: 100000") + b"{", b"GET / HTTP/1.1\r\nHost: sl"]
    lines = [socket.create_connection(("127.0.0.1", place.gate.server.port), timeout=10) for _ in range(CLIENTS)]
    try:
        for number, line in enumerate(lines):
            line.sendall(begins[number % 2])
        yield
    finally:
        for line in lines:
            line.close()


def test_two_hundred_slow_clients_stop_nobody(place: Place) -> None:
    place.publish(pack("still-here"))
    rita = place.as_("rita")
    with crowd(place), ThreadPoolExecutor(8) as pool:
        begun = time.monotonic()
        answers = [answer.status for answer in pool.map(lambda _: rita.get("/still-here"), range(100))]
        place.publish(pack("still-here", "1.0.1"))
        took = time.monotonic() - begun
    assert answers == [200] * 100
    assert took < ALLOWED / 2, "while none of them had been cut yet"
    assert place.versions("still-here") == ["1.0.0", "1.0.1"]
