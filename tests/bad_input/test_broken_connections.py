"""Bodies cut off, never ending or too large, written to the socket byte for byte.

Rows R1, R2 and R6 of the threats.
"""

import contextlib
import json
import socket
import threading
import time

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.pack import pack, publish_document

LIMIT = 24 * 1024 * 1024  # tests/parts/short_limits.py


def head(place: Place, path: str, *lines: str, method: str = "PUT", who: str = "bob") -> bytes:
    """The head of a request."""
    fixed = [
        f"{method} {place.path}{path} HTTP/1.1",
        f"Host: 127.0.0.1:{place.gate.server.port}",
        f"Authorization: Bearer {place.tokens[who]}",
    ]
    return "\r\n".join([*fixed, "Content-Type: application/json", *lines, "", ""]).encode()


def exchange(place: Place, *pieces: bytes, seconds: float = 20, finish: bool = False) -> bytes:
    """Send the pieces, optionally end our side, and read what comes until the server closes or time is up."""
    with socket.create_connection(("127.0.0.1", place.gate.server.port), timeout=seconds) as connection:
        with contextlib.suppress(OSError):  # the server may have hung up by now
            for piece in pieces:
                connection.sendall(piece)
            if finish:
                connection.shutdown(socket.SHUT_WR)
        return _answer(connection)


def _answer(connection: socket.socket) -> bytes:
    """One answer: its head and as much body as it promises."""
    got = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while chunk := connection.recv(65536):
            got += chunk
            before, sep, body = got.partition(b"\r\n\r\n")
            length = next((line.split(b":")[1] for line in before.lower().split(b"\r\n") if line.startswith(b"content-length:")), None)
            if sep and length is not None and len(body) >= int(length):
                break
    return got


def status_of(reply: bytes) -> int:
    """The status of a raw answer, 0 for none."""
    return int(reply.split(b" ", 2)[1]) if reply.startswith(b"HTTP/") else 0


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_body_cut_off_stores_nothing(place: Place, gate: Gate, share: float) -> None:
    body = json.dumps(publish_document(pack("cut-off", files={"data.bin": b"x" * 200_000}))).encode()
    with gate.unchanged():
        reply = exchange(place, head(place, "/cut-off", f"Content-Length: {len(body)}"), body[: int(len(body) * share)], finish=True)

    assert status_of(reply) == 400, reply[:300]
    assert place.as_("rita").get("/cut-off").status == 404


def test_a_chunked_body_cut_off_stores_nothing(place: Place, gate: Gate) -> None:
    body = json.dumps(publish_document(pack("cut-chunk"))).encode()
    with gate.unchanged():
        reply = exchange(place, head(place, "/cut-chunk", "Transfer-Encoding: chunked"), f"{len(body):x}\r\n".encode(), body, finish=True)

    assert status_of(reply) == 400, reply[:300]
    assert place.as_("rita").get("/cut-chunk").status == 404


def test_a_body_over_the_limit_is_413_before_it_is_read(place: Place, gate: Gate) -> None:
    with gate.unchanged():
        began = time.monotonic()
        reply = exchange(place, head(place, "/too-big", f"Content-Length: {LIMIT * 100}"), b'{"_id":"too-big",')

    assert status_of(reply) == 413, reply[:300]
    assert time.monotonic() - began < 5


def test_a_never_ending_body_is_413_when_it_passes_the_limit(place: Place, gate: Gate) -> None:
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with gate.unchanged():
        reply = exchange(place, head(place, "/endless", "Transfer-Encoding: chunked"), *[chunk] * (LIMIT // 0x100000 + 4))

    assert status_of(reply) in {413, 400}, reply[:300]


def test_a_never_ending_string_is_bounded(place: Place, gate: Gate) -> None:
    chunk = b"100000\r\n" + b"a" * 0x100000 + b"\r\n"
    start = b'5\r\n{"a":\r\n1\r\n"\r\n'
    with gate.unchanged():
        reply = exchange(place, head(place, "/endless-string", "Transfer-Encoding: chunked"), start, *[chunk] * (LIMIT // 0x100000 + 4))

    assert status_of(reply) in {413, 400}, reply[:300]


def test_a_small_route_takes_a_small_body(place: Place, gate: Gate) -> None:
    place.publish(pack("small-route"))
    with gate.unchanged():
        reply = exchange(place, head(place, "/-/package/small-route/dist-tags/next", f"Content-Length: {8 * 1024 * 1024}"), b'"')

    assert status_of(reply) == 413, reply[:300]


def test_a_reader_is_refused_before_the_body_is_read(place: Place, gate: Gate) -> None:
    with gate.unchanged():
        began = time.monotonic()
        reply = exchange(place, head(place, "/not-yours", f"Content-Length: {LIMIT - 1}", who="rita"), b"{")

    assert status_of(reply) == 403, reply[:300]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: abc",),
        ("Content-Length: -5",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding: nonsense",),
    ],
    ids=["no number", "negative", "two lengths", "length and chunked", "unknown coding"],
)
def test_lengths_that_contradict_themselves(place: Place, gate: Gate, lines: tuple[str, ...]) -> None:
    with gate.unchanged():
        reply = exchange(place, head(place, "/smuggled", *lines), b"5\r\n{}{}{\r\n0\r\n\r\n", finish=True, seconds=10)

    assert status_of(reply) in {0, 400, 411, 413, 501}, reply[:300]


def test_slow_senders_do_not_stop_the_others(place: Place) -> None:
    place.publish(pack("still-here"))
    body = json.dumps(publish_document(pack("slow-sender"))).encode()
    held = [socket.create_connection(("127.0.0.1", place.gate.server.port)) for _ in range(40)]
    try:
        for connection in held:
            connection.sendall(head(place, "/slow-sender", f"Content-Length: {len(body)}") + body[:100])
        began = time.monotonic()
        answers = [place.as_("rita").get("/still-here").status for _ in range(5)]
        place.publish(pack("still-here", "1.0.1"))
    finally:
        for connection in held:
            connection.close()

    assert answers == [200] * 5
    assert time.monotonic() - began < 10


def test_who_has_yet_to_send_a_body_holds_no_database_connection(place: Place) -> None:
    """Admitted by many threads at the same moment: a pool of three connections would be empty until the bodies came."""
    begin = threading.Barrier(24)

    def one(connection: socket.socket) -> None:
        begin.wait()
        connection.sendall(head(place, "/yet-to-come", "Content-Length: 100000"))

    with contextlib.ExitStack() as held:
        lines = [held.enter_context(socket.create_connection(("127.0.0.1", place.gate.server.port))) for _ in range(24)]
        threads = [threading.Thread(target=one, args=(line,)) for line in lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        began = time.monotonic()
        answers = [place.as_("rita").get("/nothing-here").status for _ in range(10)]
        place.publish(pack("meanwhile"))

    assert answers == [404] * 10
    assert time.monotonic() - began < 10


def test_hanging_up_in_the_middle_of_many_publishes(place: Place, gate: Gate) -> None:
    body = json.dumps(publish_document(pack("hang-up", files={"data.bin": b"y" * 500_000}))).encode()

    def part() -> None:
        with socket.create_connection(("127.0.0.1", place.gate.server.port)) as connection, contextlib.suppress(OSError):
            connection.sendall(head(place, "/hang-up", f"Content-Length: {len(body)}") + body[: len(body) // 2])

    with gate.unchanged():
        threads = [threading.Thread(target=part) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    place.publish(pack("hang-up"))
