"""Single flight across threads and processes of one machine: advisory file locks in DATA_DIR/locks."""

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import connection

from upstreams.errors import UpstreamTimeout

SLOTS = 4096  # lock files; two keys that share one merely wait for each other
POLL = 0.01  # seconds


@contextlib.contextmanager
def single_flight(kind: str, key: str, *, patience: float) -> Iterator[None]:
    """Hold the lock of `key`; raises UpstreamTimeout after `patience` seconds of waiting.

    Locks of one kind may be taken inside another's only in the order render, then consult.
    """
    handle = os.open(_path(kind, key), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait(handle, time.monotonic() + patience)
        yield
    finally:
        os.close(handle)  # closing releases the lock, also when the process dies


def is_busy(kind: str, key: str) -> bool:
    """Whether somebody holds the lock of `key` at this moment."""
    handle = try_lock(_path(kind, key))
    if handle is not None:
        os.close(handle)
    return handle is None


def try_lock(path: Path) -> int | None:
    """Take the lock on `path` or return None; close the handle to release it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def release_connection() -> None:
    """Give this thread's database connection back before waiting for others, unless a transaction needs it.

    Not SQLite's, of which there are as many as one likes: opening the next one costs more than a statement.
    """
    if not connection.in_atomic_block and connection.vendor != "sqlite":
        connection.close()


def _wait(handle: int, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise UpstreamTimeout("Others are asking for this already and it takes too long.") from None
            release_connection()
            time.sleep(POLL)
        else:
            return


def _path(kind: str, key: str) -> Path:
    folder = Path(settings.DATA_DIR) / "locks"
    folder.mkdir(exist_ok=True)
    slot = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:4], "big") % SLOTS
    return folder / f"{kind}-{slot}"
