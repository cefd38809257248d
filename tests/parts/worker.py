"""A background worker of a live Gatehouse, by the command of docs/operating.md, with the clock, in a group of its own."""

import re
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.parts import ROOT
from tests.parts.gatehouse import Gatehouse
from tests.parts.process import Process

READY = "worker is ready"
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
WORDS = shlex.split(re.findall(r"^\.venv/bin/python (-m celery .* worker .*)$", OPERATING, re.MULTILINE)[0])


class Worker:
    """Started when first needed; killed or stopped as a test wants."""

    def __init__(self, server: Gatehouse, name: str = "tasks1", *, clock: bool = True) -> None:
        words = [sys.executable, *WORDS, "--hostname", f"{name}@%h"]
        env = {**server.environment(), "TEST_WORKER_READY": READY, **({"GATEHOUSE_CLOCK": "1"} if clock else {})}
        self.process = Process([*words, "-I", "tests.parts.worker_ready"], log=server.folder / f"{name}.log", env=env, cwd=ROOT)

    def start(self) -> None:
        """Returns when it takes messages."""
        already = self.process.tail(10**9).count(READY)
        self.process.start(lambda: self.process.tail(10**9).count(READY) > already, seconds=60)

    def kill(self) -> None:
        """As a power cut would."""
        self.process.stop(signal.SIGKILL)

    def stop(self) -> None:
        """Told to end, as by an operator; it has as long as `serve` gives it."""
        self.process.stop(seconds=8)


@contextmanager
def working(server: Gatehouse, name: str = "tasks1", *, clock: bool = True) -> Iterator[Worker]:
    """A worker for a while."""
    worker = Worker(server, name, clock=clock)
    try:
        worker.start()
        yield worker
    finally:
        worker.stop()
