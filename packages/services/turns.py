"""Writers of an embedded database take turns, and each is woken the moment the one before is done.

SQLite itself only sleeps and looks again, longer each time (up to 100 ms): eight publishers spent most of
their time asleep while nobody wrote.
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

_threads = threading.Lock()
_handles: dict[int, int] = {}  # process id -> its own handle: a fork's would be the parent's, and lock nothing


@contextlib.contextmanager
def turn(*, before: Callable[[], object]) -> Iterator[None]:
    """Be the only one of us who writes. `before` is done first when somebody else is writing already.

    Other databases need no turns; inside a transaction it is too late for one.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    if not _threads.acquire(blocking=False):
        before()
        _threads.acquire()
    try:
        handle = _handle()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            before()
            fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        _threads.release()


def _handle() -> int:
    own = os.getpid()
    if own not in _handles:
        folder = Path(settings.DATA_DIR) / "locks"
        folder.mkdir(exist_ok=True)
        _handles[own] = os.open(folder / "writer", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return _handles[own]
