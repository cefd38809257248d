"""A breaker per upstream and process: one that does not answer is left alone for a while (threats.md U25).

Without it every question would wait for the same time-out, and a hanging upstream would fill the threads
that others need.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from upstreams.clients.tally import TALLY, origin
from upstreams.errors import RuleChanged, UpstreamError, UpstreamTimeout, UpstreamUnreachable

if TYPE_CHECKING:
    from upstreams.clients.http import Target

SERVER_ERROR, TOO_MANY = 500, 429  # HTTP statuses that are failures of the upstream: from here on, and being asked too often
FAILURES = 5  # in a row, before it opens
PAUSE = 10.0  # seconds until one question is let through again
ENTRIES = 1024

T = TypeVar("T")


@dataclass
class _Count:
    failures: int = 0
    open_until: float = 0.0
    trouble: str = ""  # what it last came to; others' upstreams of this address read it too


class Breakers:
    """Counts failures in a row by upstream address."""

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._lock = threading.Lock()

    def guard(self, target: "Target", ask: Callable[[], T]) -> T:
        """Ask, unless the breaker is open. Raises UpstreamUnreachable then, and whatever `ask` raises."""
        count = self._count(target.url)
        if not self._admits(count):
            TALLY.note(target.url, "not_asked", 0)
            sentence = f"Upstream {target.name} has not been answering: {count.trouble}. It is asked again in a few seconds."
            raise UpstreamUnreachable(sentence, upstream=target.name, retry_after=int(PAUSE))
        begun = time.monotonic()
        try:
            answer = ask()
        except RuleChanged:  # our own doing, not the upstream's
            raise
        except UpstreamError as error:
            TALLY.note(target.url, error.code.removeprefix("upstream_"), time.monotonic() - begun)
            if isinstance(error, UpstreamTimeout | UpstreamUnreachable):
                self._failed(count, _nameless(error, target.name))
            raise
        self.heard(target, getattr(answer, "status", 0), begun)  # git has no status
        return answer

    def is_open(self, target: "Target") -> bool:
        """Whether it has failed too often to be asked just like that."""
        return self._count(target.url).failures >= FAILURES

    def heard(self, target: "Target", status: int, begun: float) -> None:
        """It answered so (0: it has no such numbers) to what it was asked at `begun`, by the monotonic clock."""
        count = self._count(target.url)
        TALLY.note(target.url, f"{status // 100}xx" if status else "ok", time.monotonic() - begun)
        if is_failure(status):
            self._failed(count, f"it answered {status}")
        else:
            count.failures = 0

    def states(self) -> dict[str, bool]:
        """By the upstream's origin: whether its breaker is open."""
        with self._lock:
            return {origin(url): count.failures >= FAILURES for url, count in self._counts.items()}

    def _admits(self, count: _Count) -> bool:
        """Whether this caller may ask; of many at an open breaker, one every PAUSE may."""
        with self._lock:
            if count.failures < FAILURES:
                return True
            if time.monotonic() < count.open_until:
                return False
            count.open_until = time.monotonic() + PAUSE
            return True

    def _failed(self, count: _Count, trouble: str) -> None:
        with self._lock:
            count.failures += 1
            count.trouble = trouble
            count.open_until = time.monotonic() + PAUSE

    def _count(self, url: str) -> _Count:
        with self._lock:
            if len(self._counts) > ENTRIES:
                self._counts.clear()
            return self._counts.setdefault(url, _Count())


def is_failure(status: int) -> bool:
    """Whether an upstream that answers so is in trouble."""
    return status >= SERVER_ERROR or status == TOO_MANY


def _nameless(error: UpstreamError, name: str) -> str:
    """The trouble without the name of the upstream that met it."""
    known, _, rest = error.message.partition(f"Upstream {name} ")
    return f"it {rest.rstrip('.')}" if rest and not known else "there was no answer"


BREAKERS = Breakers()
