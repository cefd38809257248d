"""What every answer leaves behind: a line in the request log, the metrics, a download counted.

A request costs one entry of a bounded list. A thread takes the list ten times a second, writes the lines in
one piece, and once a second the sums and the downloads. Nothing here can fail a request.
"""

import logging
import os
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from packages.services.downloads import Downloaded, add_downloads
from protocols.journal import HOT, Answered, Journal, line, protocol_of
from protocols.tallies import Sharing, Tallies
from upstreams.clients.breaker import BREAKERS
from upstreams.clients.tally import TALLY
from upstreams.durability import remembered
from workspaces.access import Actor

ACTOR = "gatehouse.actor"  # in a request's META: who asked, as the door found out
DOWNLOAD = "gatehouse.download"  # in a request's META: the file that was handed out
PERIOD = 0.1  # seconds between two looks
IDLE = 0.5  # the same, when there was nothing
SUMS = 1.0  # seconds between two writings of the sums and the downloads
ROOM = 20_000  # answers waiting to be written; those beyond it are counted, and only that
PIECE = 200  # lines made between two breaths: the thread must not hold up the event loop

log = logging.getLogger(__name__)
_numbers = count(1)
_prefix = os.urandom(5).hex()


class Intake:
    """What is waiting to be written in this process."""

    def __init__(self) -> None:
        self.waiting: deque[Answered] = deque()
        self.lost = 0
        self.tallies = Tallies()
        self.lock = threading.Lock()

    def observe(self, answered: Answered) -> None:
        """Note one answer; never raises, never waits."""
        if len(self.waiting) < ROOM:
            self.waiting.append(answered)
        else:
            self.lost += 1

    def add(self, name: str, *labels: str) -> None:
        """Count something else that happened, e.g. `add("publishes", "npm")`."""
        with self.lock:
            self.tallies.count((name, *labels))


INTAKE = Intake()
observe, add = INTAKE.observe, INTAKE.add


def number() -> str:
    """A request's own number: told to the caller, and in every line of the log about it."""
    return f"{_prefix}{next(_numbers):06x}"


def noted(meta: Mapping[str, object]) -> tuple[Actor | None, Downloaded | None]:
    """What the doors noted about a request that went through Django."""
    actor, download = meta.get(ACTOR), meta.get(DOWNLOAD)
    return actor if isinstance(actor, Actor) else None, download if isinstance(download, Downloaded) else None


class Observer:
    """The thread of one process."""

    def __init__(self, data_dir: Path, intake: Intake = INTAKE) -> None:
        self._intake = intake
        self._sharing, self._journal = Sharing(data_dir / "metrics"), Journal(data_dir / "log")
        self._downloads: Counter[Downloaded] = Counter()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observation", daemon=True)
        self._is_quiet, self._is_troubled = False, False

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and end."""
        self._ending.set()
        self._thread.join(timeout=5)
        self._journal.close()
        self._sharing.close()

    def flush(self) -> int:
        """Write the waiting lines; returns how many."""
        waiting = self._intake.waiting
        batch = [waiting.popleft() for _ in range(len(waiting))]
        offset = time.time() - time.perf_counter()
        for start in range(0, len(batch), PIECE):
            piece = batch[start : start + PIECE]
            self._take(piece)
            self._journal.write(b"".join([line(answered, offset) for answered in piece]))
            time.sleep(0)
        self._is_quiet = self._is_quiet and not batch
        return len(batch)

    def share(self) -> None:
        """Write the sums and the downloads."""
        with self._intake.lock:
            tallies = self._intake.tallies
            tallies.counters["log_lines_lost",] = self._intake.lost
            _collect(tallies)
            self._sharing.write(tallies)
        downloads, self._downloads = self._downloads, Counter()
        if downloads:
            try:
                with remembered():
                    add_downloads(downloads, datetime.now(UTC).date())
            finally:
                connection.close()

    def _take(self, piece: list[Answered]) -> None:
        """Into the sums."""
        with self._intake.lock:
            for answered in piece:
                _tell(self._intake.tallies, answered)
        for answered in piece:
            if answered.download is not None and answered.status == 200 and answered.method == "GET":  # noqa: PLR2004 - HTTP
                self._downloads[answered.download] += 1

    def _run(self) -> None:
        due = 0.0
        while True:
            ending = self._ending.is_set()
            self._guarded(self.flush)
            if ending or (time.monotonic() >= due and not self._is_quiet):
                self._guarded(self.share)
                due, self._is_quiet = time.monotonic() + SUMS, True
            if ending:
                return
            self._ending.wait(IDLE if self._is_quiet else PERIOD)

    def _guarded(self, work: Callable[[], object]) -> None:
        """A full disk or a busy database loses figures, never an answer; said once until it works again."""
        try:
            work()
        except (OSError, DatabaseError) as error:
            if not self._is_troubled:
                log.warning("request log, metrics or download counts cannot be written: %s", type(error).__name__)
            self._is_troubled = True
        else:
            self._is_troubled = False


def _tell(tallies: Tallies, answered: Answered) -> None:
    path, via = answered.path, answered.via
    protocol = "npm" if via == HOT else protocol_of(path if isinstance(path, str) else path.decode("latin-1"))
    kind = "read" if answered.method in {"GET", "HEAD"} else "write"
    tallies.count(("requests", protocol, kind, str(answered.status), via))
    tallies.count(("response_bytes", protocol, via), answered.size)
    tallies.time(("request_seconds", protocol, via), answered.ended - answered.begun)


def _collect(tallies: Tallies) -> None:
    """What the lower floors counted themselves, as it stands now."""
    for (upstream, outcome), times in list(TALLY.asked.items()):
        tallies.counters["upstream_requests", upstream, outcome] = times
    for upstream, seconds in list(TALLY.seconds.items()):
        tallies.counters["upstream_seconds", upstream] = seconds
    for upstream, is_open in BREAKERS.states().items():
        tallies.gauges["upstream_breaker_open", upstream] = float(is_open)


_running: list[Observer] = []


def start() -> None:
    """Begin in this process: the entry does when the server starts it."""
    if not _running:
        _running.append(Observer(Path(settings.DATA_DIR)))
        _running[0].start()


def stop() -> None:
    """Write what is left."""
    while _running:
        _running.pop().stop()
