"""Single flight across threads and processes of one machine: advisory locks, one file for each kind, in DATA_DIR/locks.

A key's lock is one byte of that file, by the key's hash. A file for each key would cost more than most of what it guards: on
ext4 creating one looks past every file that was deleted in the last minutes (2 ms of the 14 a pulled file took, measured).
"""

import contextlib
import fcntl
import hashlib
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from upstreams.errors import UpstreamTimeout
from workspaces.room import release_connection

OFFSETS = 2**62  # bytes of a lock file, none of which is ever written
SLOTS = 4096  # lock files where a system locks whole files only; two keys that share one merely wait for each other
FLOCK = "hhqqi0q"  # struct flock of 64-bit Linux (fcntl(2)): type, whence, start, length, pid
POLL = 0.01  # seconds


@contextlib.contextmanager
def single_flight(kind: str, key: str, *, patience: float) -> Iterator[None]:
    """Hold the lock of `key`; raises UpstreamTimeout after `patience` seconds of waiting.

    Locks of one kind may be taken inside another's only in the order render, then consult.
    """
    handle = _wait(kind, key, time.monotonic() + patience)
    try:
        yield
    finally:
        os.close(handle)  # closing releases the lock, also when the process dies


def is_busy(kind: str, key: str) -> bool:
    """Whether somebody holds the lock of `key` at this moment."""
    handle = try_lock(kind, key)
    if handle is not None:
        os.close(handle)
    return handle is None


def try_lock(kind: str, key: str) -> int | None:
    """Take the lock of `key` or return None; close the handle to release it."""
    place = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big") % OFFSETS
    handle = _opened(kind if _has_ranges() else f"{kind}-{place % SLOTS}")
    try:
        if _has_ranges():  # held by the open file, not by the process: threads exclude each other as well
            fcntl.fcntl(handle, fcntl.F_OFD_SETLK, struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, place, 1, 0))
        else:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def _wait(kind: str, key: str, until: float) -> int:
    while (handle := try_lock(kind, key)) is None:
        if time.monotonic() > until:
            raise UpstreamTimeout("Others are asking for this already and it takes too long.")
        release_connection()
        time.sleep(POLL)
    return handle


def _has_ranges() -> bool:
    return hasattr(fcntl, "F_OFD_SETLK")


def _opened(name: str) -> int:
    path = os.path.join(settings.DATA_DIR, "locks", name)  # noqa: PTH118 - a string, quickly
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        Path(path).parent.mkdir(exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
