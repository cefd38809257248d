"""One Gatehouse for each DATA_DIR: the lock, and the short wait for lock and port after a hard stop."""

import contextlib
import errno
import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from config.env import EnvironmentInvalid

PATIENCE = 8.0  # seconds: CONTRACT.md section 1
PAUSE = 0.1


class Occupied(Exception):
    """Another program holds the lock or the port; the message says which and what to do."""


@contextlib.contextmanager
def sole_instance(data_dir: Path, *, patience: float = PATIENCE) -> Iterator[int]:
    """Hold DATA_DIR for this process alone; the file that holds it. The kernel drops the lock with the process, however it ends.

    Raises Occupied when it is still held after `patience` seconds.
    """
    with (data_dir / "serve.lock").open("a+", encoding="ascii") as file:
        if not _within(patience, lambda: _locked(file)):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise Occupied(f"Gatehouse is running on {data_dir} already (process {holder}). Stop it, or choose another DATA_DIR.")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def wait_for_port(host: str, port: int, *, patience: float = PATIENCE) -> None:
    """Return once `host:port` can be listened on. Raises Occupied, or EnvironmentInvalid for an address that never can."""
    if not _within(patience, lambda: _free(host, port)):
        advice = f"Stop the other program, or choose another port: PORT={port + 1} make run"
        raise Occupied(f"Port {port} on {host} is already in use. {advice}")


def _within(seconds: float, done: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() >= end:
            return False
        time.sleep(PAUSE)
    return True


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free(host: str, port: int) -> bool:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise EnvironmentInvalid(f"HOST: {host!r} is no address of this machine") from error
    with socket.socket(family, kind, proto) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            return _may_wait(error, host, port)
    return True


def _may_wait(error: OSError, host: str, port: int) -> bool:
    if error.errno == errno.EADDRINUSE:
        return False
    if error.errno == errno.EACCES:
        raise EnvironmentInvalid(f"PORT: this user may not listen on {port}; choose one above 1023") from error
    raise EnvironmentInvalid(f"HOST: {host!r} cannot be listened on ({error.strerror})") from error
