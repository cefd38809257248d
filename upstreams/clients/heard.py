"""What `lines` brought: a whole answer, or a long one that is read in a thread while it comes."""

import asyncio
import queue
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from upstreams.clients.causes import cause_of
from upstreams.clients.decoding import Compressed, decoded
from upstreams.clients.hearing import Broken, Hearing
from upstreams.clients.http import Target, length_of
from upstreams.clients.watchdog import is_dripping
from upstreams.errors import UpstreamTimeout, UpstreamUnreachable


@dataclass(frozen=True)
class Heard:
    """A whole answer, its body as it came over the wire."""

    status: int
    headers: dict[str, str]
    url: str
    upstream: str
    body: bytes = field(repr=False)

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return len(self.body)

    def pieces(self, limit: int, compressed: Compressed | None = None) -> Iterator[bytes]:
        """The decoded body, as `http.Answer.pieces`. Raises UpstreamBadAnswer."""
        return decoded([self.body], self.headers.get("content-encoding", ""), self.upstream, limit, compressed)


class Flowing:
    """The head of a long answer; its body is read in another thread than the loop's, and the answer closed."""

    def __init__(
        self, hearing: Hearing, url: str, target: Target, deadline: float, loop: asyncio.AbstractEventLoop, done: Callable[[], object]
    ) -> None:
        self.status, self.headers, self.url, self.upstream = hearing.status, hearing.headers, url, target.name
        self._hearing, self._loop = hearing, loop
        self._patience, self._deadline = target.read_timeout, deadline
        self._closing = weakref.finalize(self, loop.call_soon_threadsafe, done)  # also for one that nobody closes
        self._closing.atexit = False

    @property
    def length(self) -> int | None:
        """Content-Length of an unencoded body, in bytes."""
        return length_of(self.headers)

    @property
    def waiting(self) -> int:
        """Bytes that have come and are not read yet."""
        return self._hearing.waiting

    def pieces(self, limit: int, compressed: Compressed | None = None) -> Iterator[bytes]:
        """The decoded body, as `http.Answer.pieces`. Raises UpstreamBadAnswer, UpstreamTimeout, UpstreamUnreachable."""
        return decoded(self._received(), self.headers.get("content-encoding", ""), self.upstream, limit, compressed, self.length)

    def close(self) -> None:
        """Give the line up."""
        self._closing()

    def _received(self) -> Iterator[bytes]:
        begun, raw = time.monotonic(), 0
        while (piece := self._next()) is not None:
            raw += len(piece)
            now = time.monotonic()
            if now > self._deadline or is_dripping(raw, now - begun):
                raise UpstreamTimeout(f"Upstream {self.upstream} sends too slowly.", upstream=self.upstream)
            self._loop.call_soon_threadsafe(self._hearing.read, len(piece))
            yield piece

    def _next(self) -> bytes | None:
        """Raises UpstreamTimeout, UpstreamUnreachable."""
        try:
            piece = self._hearing.pieces.get(timeout=max(min(self._patience, self._deadline - time.monotonic()), 0.001))
        except queue.Empty:
            raise UpstreamTimeout(f"Upstream {self.upstream} did not answer in time.", upstream=self.upstream, cause="answer") from None
        if isinstance(piece, Broken):
            cause, words = cause_of(piece)
            sentence = f"Upstream {self.upstream} cannot be reached ({words})."
            raise UpstreamUnreachable(sentence, upstream=self.upstream, retry_after=30, cause=cause)
        return piece
