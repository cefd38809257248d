"""Working on a job, format by format the same: ask, fetch, write down, until nothing waits or somebody says stop.

One thread keeps the books and up to MIRROR_AT_ONCE others ask and fetch. What does not answer is tried again after a pause;
when nothing answers any more the job ends, and what it did not come to waits for a retry.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from upstreams.errors import RuleChanged, UpstreamError, UpstreamTimeout, UpstreamUnauthorized, UpstreamUnreachable
from upstreams.models import Mirror
from upstreams.services.mirroring.drivers import PATTERN, Course, Driver, Options
from upstreams.services.mirroring.ledger import Item, Ledger, Outcome
from upstreams.services.mirroring.steps import Steps
from workspaces.errors import GatehouseError
from workspaces.room import release_connection, room_for

TRIES = 3  # of one item, as long as it gets no answer
TRIES_AT_HOME = 30  # of one item, as long as our own database does not answer
GIVE_UP = 24  # questions in a row without an answer
REFILL = 100  # items read at once
BEAT = 1.0  # seconds between two signs of life
WRITE = 0.25  # seconds that outcomes are gathered
TICK = 0.2  # seconds between two looks at what goes on
DRAIN = 1.5  # seconds that running downloads have when the process shall end
OURS = "This could not be done because of an error of Gatehouse's own, which its log describes."

log = logging.getLogger(__name__)
STOP = threading.Event()  # this process shall end: jobs are given back

PASSING = (UpstreamUnreachable, UpstreamTimeout, UpstreamUnauthorized)  # trouble that may be over by the next question
Ended = tuple[str, str]  # the state a job ends in, and why it failed as a whole
Result = Sequence[Outcome] | UpstreamError | OperationalError


class Run:
    """One stay with a job. `tell` is called whenever its numbers were written."""

    def __init__(self, mirror: Mirror, worker: str, driver: Driver, tell: Callable[[], None]) -> None:
        course = Course(mirror.registry, mirror.upstream, Options(**mirror.options), mirror.started_at or timezone.now())
        self._ledger, self._tell = Ledger(mirror.pk, worker), tell
        self._steps = Steps(course, driver)
        self._ready: deque[Item] = deque()
        self._flying: dict[int, Item] = {}
        self._back: SimpleQueue[tuple[Sequence[Item], Result]] = SimpleQueue()
        self._outcomes: list[Outcome] = []
        self._tries: Counter[int] = Counter()
        self._missed, self._failed = 0, int(mirror.failed)
        self._paused_until = self._written_at = 0.0
        self._is_dry = self._is_cancelled = False
        self._ended: Ended | None = None

    def go(self, until: float) -> bool:
        """Work until the job is over (True), or until the time is (False). Raises HoldLost."""
        with room_for(settings.MIRROR_AT_ONCE):
            self._work(until)
        if self._ended is None:
            return False
        self._ledger.end(*self._ended)
        self._tell()
        return True

    def _work(self, until: float) -> None:
        pool = ThreadPoolExecutor(settings.MIRROR_AT_ONCE, thread_name_prefix="mirror")
        try:
            while self._ended is None and not STOP.is_set() and time.monotonic() < until:
                self._submit(pool)
                self._step()
            self._drain()
        finally:
            self._steps.over.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _step(self) -> None:
        """Look at what came back, write it down when it is time to, and see whether the job is over."""
        self._collect(TICK if self._flying or self._is_paused else 0)
        since = time.monotonic() - self._written_at
        if (self._outcomes and (self._is_idle or since > WRITE)) or since > BEAT:
            self._write()
        if self._is_cancelled:
            self._ended = (Mirror.State.CANCELLED, "")
        elif self._is_idle and self._is_dry and not self._outcomes and self._ended is None:
            self._ended = (Mirror.State.FAILED if self._failed else Mirror.State.DONE, "")

    def _submit(self, pool: ThreadPoolExecutor) -> None:
        if not self._ready and not self._is_dry:
            self._refill()
        if self._is_paused:
            return
        while self._ready and len(self._flying) < 2 * settings.MIRROR_AT_ONCE:
            item = self._ready.popleft()
            batch = [item]
            if item.wanted.version == PATTERN:  # listing once serves all patterns
                batch += [one for one in self._ready if one.wanted.version == PATTERN]
                self._ready = deque(one for one in self._ready if one.wanted.version != PATTERN)
            self._flying |= {one.pk: one for one in batch}
            pool.submit(self._do, batch)

    def _refill(self) -> None:
        if self._outcomes:
            self._write()
        if not self._ready and not self._outcomes:
            self._ready.extend(self._ledger.waiting(without=self._flying, limit=REFILL))
            self._is_dry = not self._ready
            release_connection()

    def _do(self, batch: Sequence[Item]) -> None:
        """In a thread of its own: one item, or all patterns."""
        result: Result
        try:
            result = self._steps.take(batch)
        except OperationalError as error:
            log.warning("the database did not answer a mirror job: %r", error)
            result = error
        except UpstreamError as error:
            is_passing = type(error) is UpstreamError or isinstance(error, PASSING)
            result = error if is_passing else _failed(batch, error.message)
        except GatehouseError as error:
            result = _failed(batch, error.message)
        except Exception:  # whatever it is, the other items go on
            log.exception("a mirror job met an error")
            result = _failed(batch, OURS)
        finally:
            release_connection()
        self._back.put((batch, result))

    def _collect(self, patience: float) -> None:
        try:
            batch, result = self._back.get(timeout=patience) if patience else self._back.get_nowait()
            while True:
                self._take_back(batch, result)
                batch, result = self._back.get_nowait()
        except Empty:
            return

    def _take_back(self, batch: Sequence[Item], result: Result) -> None:
        for item in batch:
            self._flying.pop(item.pk, None)
        if isinstance(result, OperationalError):
            self._repeat(batch, "The database did not answer.", TRIES_AT_HOME, pause=TICK)
        elif type(result) is UpstreamError:  # a download that could not be stored
            self._repeat(batch, result.message, TRIES_AT_HOME, pause=TICK)
        elif not isinstance(result, UpstreamError):
            self._missed = 0
            self._outcomes += result
        elif isinstance(result, RuleChanged):
            self._repeat(batch, result.message, TRIES)
        else:
            self._missed += 1
            is_final = isinstance(result, UpstreamUnauthorized)
            pause = min(result.retry_after or 1, settings.MIRROR_PAUSE)
            self._repeat(batch, result.message, 1 if is_final else TRIES, pause=0 if is_final else pause)
            if self._missed >= GIVE_UP:
                self._ended = (Mirror.State.FAILED, f"Given up, for nothing was answered any more: {result.message}")

    def _repeat(self, batch: Sequence[Item], trouble: str, tries: int, *, pause: float = 0) -> None:
        """Try these again after a pause; whoever was tried often enough has failed."""
        self._paused_until = max(self._paused_until, time.monotonic() + pause)
        for item in batch:
            self._tries[item.pk] += 1
            if self._tries[item.pk] < tries:
                self._ready.append(item)
            else:
                self._outcomes.append(Outcome(item, trouble=trouble))

    def _write(self) -> None:
        """Raises HoldLost. Where the database does not answer, what happened is written the next time."""
        outcomes = self._outcomes
        self._written_at = time.monotonic()
        try:
            asked, fresh = self._ledger.write(outcomes)
        except OperationalError:
            log.warning("the database did not take what a mirror job did; it is told again", exc_info=True)
            return
        self._outcomes = []
        release_connection()
        self._is_cancelled = self._is_cancelled or asked
        self._failed += sum(one.has_failed for one in outcomes)
        for one in outcomes:
            self._tries.pop(one.item.pk, None)
        if self._failed and self._steps.course.options.strict and self._ended is None:
            self._ended = (Mirror.State.FAILED, "Stopped at the first failure, as ordered.")
        if len(fresh) > REFILL and any(one.item.wanted.version == PATTERN for one in outcomes):
            self._is_dry = False  # a long list is read back in slices
        else:
            self._ready.extendleft(reversed(fresh))  # the versions of a name while its document is at hand
        self._tell()

    def _drain(self) -> None:
        """What runs may end, as far as there is time; what is known by then is written down."""
        self._steps.over.set()
        begun = time.monotonic()
        while self._flying and not self._is_cancelled and time.monotonic() - begun < self._patience:
            self._collect(TICK)
            if time.monotonic() - self._written_at > BEAT:
                self._write()
        while self._outcomes and time.monotonic() - begun < DRAIN:
            self._write()
            time.sleep(0 if not self._outcomes else TICK)

    @property
    def _patience(self) -> float:
        """Seconds that what runs may take to its end. Between two stays with a job it has all the time an answer has."""
        is_hurried = STOP.is_set() or self._ended is not None
        return DRAIN if is_hurried else settings.UPSTREAM_TOTAL_TIMEOUT

    @property
    def _is_idle(self) -> bool:
        return not self._ready and not self._flying

    @property
    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until


def _failed(batch: Sequence[Item], trouble: str) -> list[Outcome]:
    return [Outcome(item, trouble=trouble) for item in batch]
