"""A process of ours ends with the one that started it, even when that one was ended by `kill -9`."""

import ctypes
import multiprocessing
import os
import signal
import sys

MARK = "GATEHOUSE_SUPERVISED"  # set by `make run` for `manage.py serve`, and by that for everything it starts
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def tie_to_parent() -> None:
    """Ask the kernel for SIGKILL when the parent dies (Linux; elsewhere nothing). Safe between fork and exec."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def tie_if_supervised() -> None:
    """The same where it is asked for: `serve` under make, and what our children fork (web workers, Celery's beat).

    A fork does not inherit the tie of its parent.

    Ends the process at once when its parent died before the tie was made.
    """
    if not os.environ.get(MARK):
        return
    tie_to_parent()
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid != os.getppid():
        os._exit(1)
