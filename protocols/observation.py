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
from packages.tally import PUBLISHED
from protocols.hot_lines import Hot, hot_batch
from protocols.journal import Answered, Journal, line, protocol_of
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
_prefix = [os.urandom(5).hex()]


def _renumber() -> None:
    """Each process has numbers of its own; this module is imported before the web workers are forked."""
    _prefix[0] = os.urandom(5).hex()


os.register_at_fork(after_in_child=_renumber)


class Intake:
    """What is waiting to be written in this process."""

    def __init__(self) -> None:
        self.waiting: deque[Answered] = deque()
        self.hot: deque[Hot] = deque(maxlen=ROOM)
        self.lost = 0
        self.tallies = Tallies()
        self.lock = threading.Lock()

    def observe(self, answered: Answered) -> None:
        """Note one answer of the slow path; never raises, never waits."""
        if len(self.waiting) < ROOM:
            self.waiting.append(answered)
        else:
            self.lost += 1


INTAKE = Intake()
observe = INTAKE.observe
observe_hot = INTAKE.hot.append  # one answer of the hot path, as hot_lines.Hot has it; of too many the oldest are lost


def number() -> str:
    """A request's own number: told to the caller, and in every line of the log about it."""
    return f"{_prefix[0]}{next(_numbers):06x}"


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
        waiting, hot = self._intake.waiting, self._intake.hot
        offset, done = time.time() - time.perf_counter(), 0
        while waiting or hot:
            piece = [waiting.popleft() for _ in range(min(len(waiting), PIECE))]
            lines = self._take(piece, offset) + self._take_hot([hot.popleft() for _ in range(min(len(hot), PIECE))], offset)
            self._journal.write(lines)
            done += len(piece) + lines.count(b"\n")
            time.sleep(0)
        self._is_quiet = self._is_quiet and not done
        return done

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

    def _take(self, piece: list[Answered], offset: float) -> bytes:
        """Into the sums; the lines."""
        with self._intake.lock:
            for answered in piece:
                _tell(self._intake.tallies, answered)
        for answered in piece:
            if answered.download is not None and answered.status == 200 and answered.method == "GET":  # noqa: PLR2004 - HTTP
                self._downloads[answered.download] += 1
        return b"".join([line(answered, offset) for answered in piece])

    def _take_hot(self, piece: list[Hot], offset: float) -> bytes:
        """The same for hot answers."""
        if not piece:
            return b""
        batch = hot_batch(piece, offset)
        with self._intake.lock:
            tallies = self._intake.tallies
            for (method, status), times in batch.kinds.items():
                tallies.count(("requests", "npm", _kind(method), str(status), "hot"), times)
            tallies.count(("response_bytes", "npm", "hot"), batch.size)
            tallies.add(Tallies(histograms={("request_seconds", "npm", "hot"): batch.row}))
        for (registry_id, path), times in batch.files.items():
            self._downloads[_of_path(registry_id, path)] += times
        return batch.lines

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
                log.warning("request log, metrics or download counts cannot be written: %r", error)
            self._is_troubled = True
        else:
            self._is_troubled = False


def _tell(tallies: Tallies, answered: Answered) -> None:
    protocol = protocol_of(answered.path)
    tallies.count(("requests", protocol, _kind(answered.method), str(answered.status), "slow"))
    tallies.count(("response_bytes", protocol, "slow"), answered.size)
    tallies.time(("request_seconds", protocol, "slow"), answered.ended - answered.begun)


def _kind(method: str) -> str:
    return "read" if method in {"GET", "HEAD"} else "write"


def _of_path(registry_id: int, path: str) -> Downloaded:
    """The file that `/{ws}/r/{reg}/{name}/-/{filename}` names."""
    name, _, filename = path.split("/", 4)[4].partition("/-/")
    return Downloaded(registry_id, name, filename)


def _collect(tallies: Tallies) -> None:
    """What the lower floors counted themselves, as it stands now."""
    for format_, times in list(PUBLISHED.items()):
        tallies.counters["publishes", format_] = times
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
