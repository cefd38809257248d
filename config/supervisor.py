"""Runs the web server and the background worker as children: restarts what dies, and leaves no process behind."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Protocol

TICK = 0.1  # seconds between two looks at the children
HEALTHY = 30.0  # a child that lived this long has no failures to its name
LONGEST_PAUSE = 30.0
UNUSED_GRACE = 3.0  # seconds to end for what never got to serve anybody


class Running(Protocol):
    """A process that leads a session of its own, as subprocess.Popen has it."""

    @property
    def pid(self) -> int:
        """Of the leader."""
        ...

    @property
    def returncode(self) -> int | None:
        """How it ended, as of the last look; below zero: by which signal."""
        ...

    def poll(self) -> int | None:
        """Look: how it ended, None while it runs."""
        ...

    def send_signal(self, sig: int) -> None:
        """To the leader, unless it has ended."""
        ...

    def kill(self) -> None:
        """SIGKILL to the leader, unless it has ended."""
        ...

    def wait(self) -> object:
        """Until it has ended."""
        ...


@dataclass
class Child:
    """One program to keep running. `grace` is how many seconds it may take to end after SIGTERM.

    `begin` starts it in a session of its own, so that Ctrl-C reaches only the supervisor and all of it can be ended.
    One that is `patient` is first started when the service is up, so that it does not slow the others' start.
    """

    name: str
    begin: Callable[[], Running]
    grace: float
    is_patient: bool = False
    process: Running | None = None
    failures: int = 0
    started_at: float = 0.0
    due_at: float = field(default=0.0)  # when to start it (again)

    def start(self) -> None:
        """Start it."""
        self.started_at = time.monotonic()
        self.process = self.begin()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program's first process."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def end(self) -> None:
        """End whatever is left of its session, at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()  # one that was only just forked leads no session yet
            self.process.wait()

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps `children` running until SIGTERM or SIGINT; a second signal ends them at once.

    `prepare` is called before the first is started, `when_up` once `is_up` first answers true; `say` prints a line.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Callable[[str], None],
        prepare: Callable[[], None] = lambda: None,
        is_up: Callable[[], bool] = lambda: True,
        when_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = children
        self._say, self._prepare, self._is_up, self._when_up = say, prepare, is_up, when_up
        self._signals = 0
        self._has_been_up = False

    def run(self) -> None:
        """Run until told to stop; on return no child and no grandchild is left."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            self._prepare()
            self._watch()
            self._stop()
        finally:
            for child in self._children:
                child.end()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1  # and nothing more: a lock taken here hangs for ever when a second signal comes inside

    def _watch(self) -> None:
        while not self._signals:
            for child in self._children:
                if self._has_been_up or not child.is_patient:
                    self._tend(child)
            if not self._has_been_up and self._is_up():
                self._has_been_up = True
                self._when_up()
            time.sleep(TICK)

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.is_running:
            return
        if child.process is not None:
            child.end()
            child.failures = 1 if now - child.started_at > HEALTHY else child.failures + 1
            pause = min(LONGEST_PAUSE, 0.5 * 2 ** (child.failures - 1))
            self._say(f"{child.name} ended (exit {child.process.returncode}); starting it again in {pause:g} s")
            child.process, child.due_at = None, now + pause
        if now >= child.due_at:
            child.start()

    def _stop(self) -> None:
        begun = time.monotonic()
        for child in self._children:
            child.signal(signal.SIGTERM)
        while any(child.is_running for child in self._children) and self._signals == 1:
            for child in self._children:
                grace = child.grace if self._has_been_up else UNUSED_GRACE
                if child.is_running and time.monotonic() - begun > grace:
                    child.end()
            time.sleep(TICK / 2)
