"""Long bodies that a door takes as they come: in order, all that came and not more, whatever ends them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from protocols.bodies import GATHERED, BodyRefused, ClientGone, receive_body

CHUNKED = {"transfer-encoding": "chunked"}
GONE = object()


class Kept:
    """A sink that remembers what it was given."""

    limit = 10 * GATHERED

    def __init__(self, *, refuses: bool = False) -> None:
        self.given: list[bytes] = []
        self.closed = 0
        self.refuses = refuses

    def write(self, pieces: Sequence[bytes]) -> None:
        if self.refuses:
            raise BodyRefused(507, "no room", "storage_full")
        self.given.append(b"".join(pieces))

    def close(self) -> None:
        self.closed += 1


def receive(sink: Kept, pieces: list[Any], headers: dict[str, str] | None = None) -> Callable[[], int]:
    """Receive `pieces` into the sink; answers of the length."""

    async def admitting(*_: object) -> Kept:
        return sink

    async def piece() -> dict[str, object]:
        one = pieces.pop(0)
        if one is GONE:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": one, "more_body": bool(pieces)}

    async def run() -> int:
        scope = {"method": "PATCH", "path": "/v2/x"}
        body = await receive_body(scope, CHUNKED if headers is None else headers, "127.0.0.1", piece, admit=admitting)
        assert body.file.read() == b""
        assert sink.closed == 0, "the door still wants it"
        await body.close()
        await body.close()
        return body.length

    return lambda: asyncio.run(run())


def test_many_pieces_are_given_a_few_at_a_time() -> None:
    sink, piece = Kept(), b"x" * 100_000
    assert receive(sink, [piece] * 25)() == 2_500_000
    assert [len(given) for given in sink.given] == [1_100_000, 1_100_000, 300_000]
    assert sink.closed == 1


def test_what_came_before_the_line_was_cut_is_kept() -> None:
    sink = Kept()
    with pytest.raises(ClientGone):
        receive(sink, [b"abc", b"def", GONE])()
    assert (sink.given, sink.closed) == ([b"abcdef"], 1)


def test_a_body_shorter_than_it_said_is_kept_and_no_success() -> None:
    sink = Kept()
    with pytest.raises(ClientGone):
        receive(sink, [b"abc", b""], {"content-length": "100000"})()
    assert (sink.given, sink.closed) == ([b"abc"], 1)


def test_a_sink_that_refuses_is_closed() -> None:
    sink = Kept(refuses=True)
    with pytest.raises(BodyRefused) as refused:
        receive(sink, [b"abc", b""])()
    assert (refused.value.status, sink.closed) == (507, 1)


def test_a_sink_has_a_limit() -> None:
    sink = Kept()
    sink.limit = 1000
    with pytest.raises(BodyRefused) as refused:
        receive(sink, [b"x" * 600, b"x" * 600, b""])()
    assert (refused.value.status, sum(map(len, sink.given)), sink.closed) == (413, 600, 1)
