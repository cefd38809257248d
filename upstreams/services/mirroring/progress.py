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
        over = mirror.done + mirror.failed
        filled = WIDTH * over // mirror.total if mirror.total else 0
        rate = mirror.done / max(time.monotonic() - self._begun, 0.001)
        self._write(f"[{'█' * filled}{'·' * (WIDTH - filled)}] {numbers(mirror)}, {rate:.0f}/s")

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


def numbers(mirror: Mirror) -> str:
    """`120 of 300 files, 2 failed, 40 names looked up`."""
    failed = f", {mirror.failed:,} failed" if mirror.failed else ""
    return f"{mirror.done:,} of {mirror.total:,} files{failed}, {mirror.names:,} names looked up"


def summary(mirror: Mirror, seconds: float) -> str:
    """The last line."""
    if mirror.state == Mirror.State.DONE and not mirror.total:
        return f"Nothing new at {mirror.upstream.name}: {mirror.names:,} names looked up in {seconds:.0f} s."
    told = f"Mirrored {mirror.done:,} versions ({mirror.failed:,} failed) from {mirror.upstream.name} in {seconds:.0f} s"
    left = mirror.total - mirror.done - mirror.failed
    return f"{told}; cancelled, {left:,} left." if mirror.state == Mirror.State.CANCELLED else f"{told}."
