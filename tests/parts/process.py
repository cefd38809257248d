"""A child process in a group of its own: started with its log in a file, ended by its id, never by name."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.parts import reports

LOW, HIGH = 20000, 32000  # below the ephemeral range, so that no outgoing connection takes the port
HOST = "127.0.0.1"


class NotReady(AssertionError):
    """A part did not come up; the message ends with its log."""


def free_port() -> int:
    """A port nobody listens on just now."""
    for _ in range(200):
        port = random.randrange(LOW, HIGH)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise NotReady(f"no free port between {LOW} and {HIGH}")


class Process:
    """One part that runs beside the tests."""

    def __init__(self, words: Sequence[object], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> None:
        self.words = [str(word) for word in words]
        self.log = log
        self.env = dict(env if env is not None else os.environ)
        self.cwd = cwd
        self.options: dict[str, object] = {}
        self.child: subprocess.Popen[bytes] | None = None

    def start(self, ready: Callable[[], bool], *, seconds: float = 60) -> None:
        """Start it and wait until `ready` says so. Raises NotReady with the end of the log."""
        reports.listen(self.log)
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(  # type: ignore[call-overload]
                self.words, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                env=self.env, cwd=self.cwd, start_new_session=True, **self.options,
            )  # fmt: skip
        deadline = time.monotonic() + seconds
        while not ready():
            if self.child.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise NotReady(f"{self.words[0]} did not start:\n{self.tail()}")
            time.sleep(0.05)

    def stop(self, first: signal.Signals = signal.SIGTERM, *, seconds: float = 10) -> None:
        """End the whole group: politely, then not."""
        if self.child is None:
            return
        for word in (first, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, word)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(seconds)
        self.child = None

    def tail(self, size: int = 4000) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-size:] if self.log.exists() else ""


def listens(port: int) -> bool:
    """Whether somebody accepts connections at the port."""
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False
