"""Counters of one process, and the sum over all of them: shared by small files in DATA_DIR/metrics.

prometheus-client's memory-mapped counters cost 5 µs per request and must know their folder before Python starts;
here a request is one entry of a list (protocols/observation.py), and a process writes its sums once a second.
"""

import fcntl
import os
import secrets
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import orjson

BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
PAST = "past"  # what processes that have ended had counted
Key = tuple[str, ...]  # a metric's name, then the values of its labels


@dataclass
class Tallies:
    """Sums by metric and labels. A histogram is the count per bucket, the count above them, and the sum of seconds.

    Gauges tell of this moment and are forgotten with their process.
    """

    counters: dict[Key, float] = field(default_factory=dict)
    histograms: dict[Key, list[float]] = field(default_factory=dict)
    gauges: dict[Key, float] = field(default_factory=dict)

    def count(self, key: Key, amount: float = 1) -> None:
        """Add to a counter."""
        self.counters[key] = self.counters.get(key, 0) + amount

    def time(self, key: Key, seconds: float) -> None:
        """Add a duration to a histogram."""
        found = self.histograms.get(key)
        if found is None:
            found = self.histograms[key] = [0.0] * (len(BUCKETS) + 2)
        found[bisect_left(BUCKETS, seconds)] += 1
        found[-1] += seconds

    def add(self, other: "Tallies", *, with_gauges: bool = True) -> None:
        """Take another's sums in."""
        for key, amount in other.counters.items():
            self.count(key, amount)
        for key, row in other.histograms.items():
            own = self.histograms.get(key, [0.0] * len(row))
            self.histograms[key] = [one + two for one, two in zip(own, row, strict=True)]
        for key, value in other.gauges.items() if with_gauges else ():
            self.gauges[key] = self.gauges.get(key, 0) + value

    def dumped(self) -> bytes:
        """As JSON."""
        parts: tuple[Mapping[Key, object], ...] = (self.counters, self.histograms, self.gauges)
        return orjson.dumps([[[key, value] for key, value in part.items()] for part in parts])


def loaded(data: bytes) -> Tallies:
    """The tallies of `dumped`; nothing from a file that is empty, broken or of an older release."""
    try:
        counters, histograms, gauges = ({tuple(key): value for key, value in part} for part in orjson.loads(data))
    except (ValueError, TypeError):
        return Tallies()
    whole = {key: row for key, row in histograms.items() if len(row) == len(BUCKETS) + 2}
    return Tallies(counters, whole, gauges)


class Sharing:
    """This process's place in the folder. The lock on its own `.lock` file says, by the kernel's word, that it lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._name = f"{os.getpid()}-{secrets.token_hex(4)}"
        with _locked(folder):
            self._alive = (folder / f"{self._name}.lock").open("w")
            fcntl.flock(self._alive, fcntl.LOCK_EX)
            _gather_past(folder)

    def write(self, tallies: Tallies) -> None:
        """Show the others what this process has counted so far."""
        _replace(self._folder / f"{self._name}.json", tallies.dumped())

    def close(self) -> None:
        """This process has ended, as far as the others are concerned."""
        self._alive.close()


def everybody(folder: Path) -> Tallies:
    """The sum over all processes, the ended ones included (but for their gauges)."""
    total = Tallies()
    if not folder.is_dir():
        return total
    with _locked(folder):
        _gather_past(folder)
        for path in folder.glob("*.json"):
            total.add(loaded(path.read_bytes()))
    return total


def _gather_past(folder: Path) -> None:
    """Move what processes that have ended counted into one file. Under the folder's lock."""
    past, ended = folder / f"{PAST}.json", [path for path in folder.glob("*.lock") if path.name != ".lock" and not _lives(path)]
    if not ended:
        return
    total = loaded(past.read_bytes()) if past.exists() else Tallies()
    for lock in ended:
        left = lock.with_suffix(".json")
        if left.exists():
            total.add(loaded(left.read_bytes()), with_gauges=False)
    _replace(past, total.dumped())
    for lock in ended:
        lock.with_suffix(".json").unlink(missing_ok=True)
        lock.unlink(missing_ok=True)


def _lives(path: Path) -> bool:
    """Whether some process holds this lock."""
    with path.open("r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@contextmanager
def _locked(folder: Path) -> Iterator[IO[str]]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock


def _replace(path: Path, data: bytes) -> None:
    """Whole or not at all, for readers."""
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_bytes(data)
    new.replace(path)
