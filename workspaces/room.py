"""Database connections of a process: given back while others could use them, more while many threads need one each.

A pool is small: a PostgreSQL backend holds 7 MB, and more of them than a web process keeps busy only wait. A job's threads
share one interpreter, and each journey leaves it to another of them, if that has a connection (measured: 104 against 111
small packages a second).
"""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from django.db import connection
from psycopg_pool import ConnectionPool

_lock = threading.Lock()
_added: dict[int, int] = {}  # by the pool's identity: connections it has beyond its own


def release_connection() -> None:
    """Give this thread's database connection back before waiting for others, unless a transaction needs it.

    Not SQLite's, of which there are as many as one likes: opening the next one costs more than a statement.
    """
    if not connection.in_atomic_block and connection.vendor != "sqlite":
        connection.close()


@contextlib.contextmanager
def room_for(threads: int) -> Iterator[None]:
    """This process's pool gets that many connections more; nothing without a pool."""
    pool = getattr(connection, "pool", None)
    if pool is None:
        yield
        return
    with widened(pool, threads):
        yield


@contextlib.contextmanager
def widened(pool: "ConnectionPool[Any]", more: int) -> Iterator[None]:
    """That pool, `more` connections larger at most; several may widen it at a time. What is left over closes when it rests."""
    _resize(pool, more)
    try:
        yield
    finally:
        _resize(pool, -more)


def _resize(pool: "ConnectionPool[Any]", by: int) -> None:
    with _lock:
        known = _added.get(id(pool), 0)
        own = pool.max_size - known
        _added[id(pool)] = known + by
        pool.resize(pool.min_size, own + known + by)
        if not _added[id(pool)]:
            del _added[id(pool)]
