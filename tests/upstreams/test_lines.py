"""Questions put on the event loop: what is heard whole, what flows, and what is left to the other way."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from upstreams.clients.guard import parse_network
from upstreams.clients.heard import Flowing, Heard
from upstreams.clients.http import Target, origin_of
from upstreams.clients.lines import Lines, Unsure
from upstreams.clients.watchdog import AT_ONCE, SLOTS
from upstreams.errors import UpstreamBadAnswer, UpstreamTimeout, UpstreamUnreachable

LIMIT = 1000
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
Talk = Callable[[socket.socket], None]


@contextmanager
def server(*talks: Talk) -> Iterator[Target]:
    """An upstream whose n-th connection goes by the n-th talk."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for talk in talks:
                line, _ = listener.accept()
                with line:
                    talk(line)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield Target(name="public", url=url, allowed=(parse_network("127.0.0.0/8"),), read_timeout=2.0, total_timeout=5.0)


def says(*answers: bytes, then: float = 0.0) -> Talk:
    """One answer to each question, then the end."""

    def talk(line: socket.socket) -> None:
        for answer in answers:
            if not line.recv(4096):
                return
            line.sendall(answer)
        time.sleep(then)

    return talk


async def no_check() -> None:
    """Nothing has changed."""


async def ask(lines: Lines, target: Target, path: str = "/a") -> Heard | Flowing:
    return await lines.ask(target, f"{target.url}{path}", {"accept": "*/*"}, limit=LIMIT, before_send=no_check)


def test_an_answer_is_heard_whole_and_the_line_used_again() -> None:
    chunked = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\nX-Two: a\r\nx-two: b\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with server(says(PLAIN, chunked)) as target:

        async def both() -> list[Heard | Flowing]:
            lines = Lines()
            return [await ask(lines, target), await ask(lines, target)]

        first, second = asyncio.run(both())
    assert isinstance(first, Heard)
    assert isinstance(second, Heard)
    assert (first.status, first.body, first.length) == (200, b"hello", 5)
    assert (second.status, second.body, second.headers["x-two"]) == (404, b"abcde", "a, b")


def test_a_line_that_was_closed_while_it_rested_is_made_anew() -> None:
    with server(says(PLAIN), says(PLAIN)) as target:

        async def both() -> list[Heard | Flowing]:
            lines = Lines()
            return [await ask(lines, target), await ask(lines, target)]

        assert [answer.status for answer in asyncio.run(both())] == [200, 200]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
        b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 5\r\n\r\nhello",
        PLAIN + PLAIN,
        PLAIN + b"more",
        PLAIN.replace(b"200 OK", b"503 Busy"),
        PLAIN.replace(b"200 OK", b"429 Slow"),
    ],
)
def test_what_is_not_plain_is_left_to_the_other_way(answer: bytes) -> None:
    with server(says(answer)) as target, pytest.raises(Unsure):
        asyncio.run(ask(Lines(), target))
    assert_all_free(target)


def test_silence_and_refusal() -> None:
    with server(says(then=4)) as target, pytest.raises(Unsure):
        asyncio.run(ask(Lines(), Target(name="public", url=target.url, allowed=target.allowed, read_timeout=0.3)))
    assert_all_free(target)
    with pytest.raises(Unsure):
        asyncio.run(ask(Lines(), target))  # nobody listens there any more


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/é"])
def test_an_odd_address_is_not_asked(path: str) -> None:
    with server() as target, pytest.raises(Unsure):
        asyncio.run(ask(Lines(), target, path))


def test_a_private_address_is_not_asked() -> None:
    with server() as target, pytest.raises(Unsure):
        asyncio.run(ask(Lines(), Target(name="public", url=target.url)))


def test_what_changed_stops_the_question() -> None:
    class Changed(Exception):
        pass

    async def changed() -> None:
        raise Changed

    with server(says(PLAIN)) as target, pytest.raises(Changed):
        asyncio.run(Lines().ask(target, f"{target.url}/a", {}, limit=LIMIT, before_send=changed))


@pytest.mark.parametrize("head", [b"Content-Length: 4000000", b"Transfer-Encoding: chunked"])
def test_a_long_answer_flows(head: bytes) -> None:
    body = bytes(range(250)) * 16_000
    sent = (
        body
        if b"Length" in head
        else b"".join(b"%x\r\n%b\r\n" % (1000, body[at : at + 1000]) for at in range(0, len(body), 1000)) + b"0\r\n\r\n"
    )
    with server(says(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + sent)) as target:
        assert read(target) == body
    assert_all_free(target)


def test_a_reader_that_is_slow_makes_the_line_wait() -> None:
    body = b"x" * 20_000_000
    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n" + body)) as target:
        held: list[int] = []
        assert read(target, lambda flowing: held.append(flowing.waiting)) == body
    assert 0 < max(held) < 4_000_000


def test_a_long_answer_that_breaks_is_told() -> None:
    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 3000)) as target, pytest.raises(UpstreamUnreachable):
        read(target)
    assert_all_free(target)


def test_a_long_answer_that_stops_is_told() -> None:
    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 3000, then=4)) as target, pytest.raises(UpstreamTimeout):
        read(target)


def test_more_than_is_wanted_is_not_read() -> None:
    with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000)) as target, pytest.raises(UpstreamBadAnswer):
        read(target, limit=4000)
    assert_all_free(target)


def read(target: Target, look: Callable[[Flowing], object] = lambda _: None, *, limit: int = 10**9) -> bytes:
    """The body of what flows, read in a thread."""

    def receive(flowing: Flowing) -> bytes:
        try:
            found = []
            for piece in flowing.pieces(limit):
                found.append(piece)
                if len(found) % 50 == 1:
                    time.sleep(0.02)
                    look(flowing)
            return b"".join(found)
        finally:
            flowing.close()

    async def both() -> bytes:
        flowing = await ask(Lines(), target)
        assert isinstance(flowing, Flowing)
        body = await asyncio.to_thread(receive, flowing)
        await asyncio.sleep(0)  # the closing is the loop's
        return body

    return asyncio.run(both())


def assert_all_free(target: Target) -> None:
    """No place at the upstream is left taken."""
    taken = [SLOTS.take_at_once((origin_of(target.url), "*/*")) for _ in range(AT_ONCE)]
    assert all(taken)
    for slot in taken:
        assert slot is not None
        slot.release()
