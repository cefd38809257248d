"""A process of ours ends with the one that started it, even when that one was ended by `kill -9`."""

import ctypes
import multiprocessing
import os
import signal
import sys

MARK = "GATEHOUSE_SUPERVISED"  # set by `make run` for `manage.py serve`, and by that for everything it starts
CLOCK = "GATEHOUSE_CLOCK"  # set for the one background worker that also sends what is due
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


_tied: list[int] = []  # this process once it is tied; in a fork of it, the parent


def tie_to_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL when the parent dies (Linux; elsewhere nothing). Safe between fork and exec.

    Ends the process at once when `parent` died before the tie was made.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def tie_if_supervised() -> None:
    """The same where it is asked for: `serve` under make, and what our children fork (web workers, Celery's beat).

    A fork does not inherit the tie of its parent.
    """
    if not os.environ.get(MARK):
        return
    tie_to_parent(_parent())
    _tied[:] = [os.getpid()]


def _parent() -> int:
    """Who started this process, as far as it can know: the parent of this moment may be a stand-in for a dead one."""
    if _tied and _tied[0] != os.getpid():  # a fork just now: multiprocessing still tells of the parent's parent
        return _tied[0]
    by_multiprocessing = multiprocessing.parent_process()
    if by_multiprocessing is not None and by_multiprocessing.pid is not None:
        return by_multiprocessing.pid
    return os.getppid()
