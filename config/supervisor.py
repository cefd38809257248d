"""Runs the web server and the background worker as children: restarts what dies, and leaves no process behind."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from config.lifeline import MARK, tie_to_parent

TICK = 0.1  # seconds between two looks at the children
HEALTHY = 30.0  # a child that lived this long has no failures to its name
LONGEST_PAUSE = 30.0
UNUSED_GRACE = 3.0  # seconds to end for what never got to serve anybody


@dataclass
class Child:
    """One program to keep running. `grace` is how many seconds it may take to end after SIGTERM.

    One that is `patient` is first started when the service is up, so that it does not slow the others' start.
    """

    name: str
    command: Sequence[str]
    grace: float
    is_patient: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    due_at: float = field(default=0.0)  # when to start it (again)

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the supervisor and all of it can be ended."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, fixed words
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(tie_to_parent, os.getpid()),  # noqa: PLW1509 - one prctl; no thread runs at this point
            env={**os.environ, MARK: "1", **self.environment},
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program's first process."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def end(self) -> None:
        """End whatever is left of its session, at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Keeps `children` running until SIGTERM or SIGINT; a second signal ends them at once.

    `say` prints a line; `when_up` is called once `is_up` first answers true.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Callable[[str], None],
        is_up: Callable[[], bool] = lambda: True,
        when_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._children = children
        self._say, self._is_up, self._when_up = say, is_up, when_up
        self._signals = 0
        self._has_been_up = False

    def run(self) -> None:
        """Run until told to stop; on return no child and no grandchild is left."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
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
