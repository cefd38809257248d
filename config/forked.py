"""A program of ours in a fork of this process: what was imported before is shared memory, where a new interpreter has its own."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing import get_context

from setproctitle import setproctitle

from config.lifeline import MARK, tie_if_supervised

HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Forked:
    """What subprocess.Popen is for a command: `words` are the program's `sys.argv`, the first of them names the module with its `main`.

    `closed`: an open file that it must not keep.
    """

    def __init__(self, name: str, words: Sequence[str], environment: Mapping[str, str], *, closed: int) -> None:
        self._process = get_context("fork").Process(target=_run, args=(name, words, environment, closed), name=name)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)  # until the child has ways of its own to meet them
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        """How it ended, as Popen has it; None while it runs."""
        self._process.join(0)
        return self.returncode

    @property
    def returncode(self) -> int | None:
        """The same, as of the last look."""
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        """To its first process, unless that has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """SIGKILL to its first process, unless that has ended."""
        self.send_signal(signal.SIGKILL)

    def wait(self) -> None:
        """Until it has ended."""
        self._process.join()


def _run(name: str, words: Sequence[str], environment: Mapping[str, str], closed: int) -> None:
    os.setsid()
    os.environ.update({**environment, MARK: "1"})
    tie_if_supervised()
    os.close(closed)
    for number in HANDLED:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    setproctitle(f"gatehouse: {name}")
    sys.argv = list(words)
    import_module(words[0]).main()
