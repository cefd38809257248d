"""How far a job is, at a terminal: a bar where there is one, a line now and then where the output is kept."""

import shutil
import time
from typing import IO

from upstreams.models import Mirror

WIDTH = 30  # of the bar itself
EVERY = 5.0  # seconds between two lines


class Silent:
    """Says nothing."""

    def show(self, mirror: Mirror) -> None:
        """The job's numbers of now."""

    def wait(self) -> None:
        """The job waits for its turn."""

    def end(self) -> None:
        """Nothing more will be shown."""


class Bar(Silent):
    """One line that is written anew."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._begun = out, time.monotonic()

    def show(self, mirror: Mirror) -> None:
        """The bar, the numbers, the rate."""
        rate = mirror.done / max(time.monotonic() - self._begun, 0.001)
        self._write(f"[{_bar(mirror)}] {numbers(mirror)}, {rate:.0f}/s")

    def wait(self) -> None:
        """Another job of the upstream is at work."""
        self._write(f"[{'·' * WIDTH}] waits for its turn at this upstream")

    def end(self) -> None:
        """Leave the terminal's line."""
        self._out.write("\n")
        self._out.flush()

    def _write(self, text: str) -> None:
        room = shutil.get_terminal_size().columns - 1
        self._out.write(f"\r{text[:room]:<{room}}")
        self._out.flush()


class Lines(Silent):
    """Plain lines."""

    def __init__(self, out: IO[str]) -> None:
        self._out, self._at, self._last = out, time.monotonic(), ""

    def show(self, mirror: Mirror) -> None:
        """A line when there is something new and the last one is a while ago."""
        if time.monotonic() - self._at >= EVERY:
            self._write(numbers(mirror))

    def wait(self) -> None:
        """Said once."""
        self._write("Another job of this upstream is at work; this one waits for its turn.")

    def _write(self, text: str) -> None:
        if text != self._last:
            self._out.write(f"{text}\n")
            self._out.flush()
        self._at, self._last = time.monotonic(), text


def _bar(mirror: Mirror) -> str:
    """What came is full, what failed is shaded."""
    done, over = (WIDTH * part // max(mirror.total, 1) for part in (mirror.done, mirror.done + mirror.failed))
    return f"{'█' * done}{'▒' * (over - done)}".ljust(WIDTH, "·")


def numbers(mirror: Mirror) -> str:
    """`120 of 300 files, 2 failed, 40 names looked up`."""
    failed = f", {mirror.failed:,} failed" if mirror.failed else ""
    return f"{mirror.done:,} of {_many(mirror.total, 'file')}{failed}, {_many(mirror.names, 'name')} looked up"


def summary(mirror: Mirror, seconds: float) -> str:
    """The last line: whether all came, and how to bring the rest."""
    left_out = f"; {_many(mirror.left_out, 'optional dependency', 'optional dependencies')} left out" if mirror.left_out else ""
    within = f"in {seconds:.0f} s"
    if mirror.state == Mirror.State.DONE:
        if not mirror.total:
            return f"Nothing new at {mirror.upstream.name}: {_many(mirror.names, 'name')} looked up {within} (job {mirror.pk}){left_out}."
        return f"Mirrored {_many(mirror.done, 'version')} from {mirror.upstream.name} {within} (job {mirror.pk}){left_out}."
    came = (
        f"{_many(mirror.done, 'version')} came from {mirror.upstream.name}" if mirror.done else f"nothing came from {mirror.upstream.name}"
    )
    failed = f", {mirror.failed:,} failed" if mirror.failed else ""
    rest = f", {mirror.unreached:,} left" if mirror.unreached else ""
    word = "was cancelled" if mirror.state == Mirror.State.CANCELLED else "failed"
    advice = f" The rest: manage.py mirror {mirror.registry} --retry {mirror.pk}" if mirror.is_retryable else ""
    return f"Job {mirror.pk} {word}: {came} {within}{failed}{rest}{left_out}.{advice}"


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
