"""The hot path's own way to the database: one connection per process, used on the event loop only.

A reader answers two questions: the database's *stamp* (equal stamps mean that nothing at all was committed in
between, by anybody), and the rows of a statement. What follows from stamps: docs/adr/0007.
"""

import asyncio
import itertools
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import pq
from psycopg.conninfo import make_conninfo

from upstreams.selectors.pipeline import Pipeline, PipelineBroken, Rows, as_text

Stamp = int | tuple[int, str]

STAMP = "SELECT pg_current_snapshot()::text"
CONNECT_SECONDS = 3
REST = 1.0  # seconds after a failure to connect: all who wait would otherwise try, one after the other


class DatabaseTrouble(Exception):
    """The question could not be put; the slow path will say what is wrong."""


class Reader(Protocol):
    """One connection to the database that the settings name."""

    def stamp_at_once(self) -> Stamp | None:
        """The stamp where it can be had without waiting, else None. Raises DatabaseTrouble."""
        ...

    async def stamp(self) -> Stamp:
        """A value that is another whenever anything was committed since. Raises DatabaseTrouble."""
        ...

    async def rows(self, statement: str, parameters: Sequence[object]) -> Rows:
        """All rows. Raises DatabaseTrouble."""
        ...

    def spelt(self, statement: str) -> str:
        """A statement with `{p}` for each parameter in the spelling of this database."""
        ...


class SQLite:
    """A read-only connection. Readers never wait in WAL mode: answers come in microseconds."""

    def __init__(self) -> None:
        self._address = f"file:{settings.DATABASES['default']['NAME']}?mode=ro"
        self._opened: sqlite3.Connection | None = None
        self._version: int | None = None  # of this turn of the loop

    def stamp_at_once(self) -> int:
        """SQLite's data_version: another after any other connection's commit (sqlite.org/pragma.html#pragma_data_version).

        Read once in a turn of the loop. Who asks in the same turn had come in before it was read: whatever comes
        in later waits behind `_turned` in the loop's queue.
        """
        if self._version is not None:
            return self._version
        try:
            version: int = (self._opened or self._open()).execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            raise DatabaseTrouble(str(error)) from error
        asyncio.get_running_loop().call_soon(self._turned)
        self._version = version
        return version

    async def stamp(self) -> int:
        """The same."""
        return self.stamp_at_once()

    def _turned(self) -> None:
        self._version = None

    async def rows(self, statement: str, parameters: Sequence[object]) -> Rows:
        """All rows; times go in as Django's SQLite backend stores them."""
        spelt = [_moment(value) if isinstance(value, datetime) else value for value in parameters]
        try:
            return (self._opened or self._open()).execute(statement, spelt).fetchall()
        except sqlite3.Error as error:
            raise DatabaseTrouble(str(error)) from error

    def spelt(self, statement: str) -> str:
        """Question marks."""
        return statement.replace("{p}", "?")

    def _open(self) -> sqlite3.Connection:
        self._opened = sqlite3.connect(self._address, uri=True, isolation_level=None)
        self._opened.execute("PRAGMA mmap_size=134217728")
        return self._opened


class PostgreSQL:
    """One pipelined connection; made when first needed, and again after it broke."""

    _resting_until = 0.0  # by the monotonic clock

    def __init__(self) -> None:
        self._conninfo = _conninfo()
        self._pipeline: Pipeline | None = None
        self._connecting = asyncio.Lock()
        self._connections = 0

    def stamp_at_once(self) -> None:
        """Always a question to the server."""

    async def stamp(self) -> tuple[int, str]:
        """The connection's number and its snapshot: the same finished transactions, so the same data.

        PostgreSQL manual, section 9.27. The number counts, since a database restored from a copy may repeat itself.
        """
        snapshot = (await self.rows(STAMP, ()))[0][0]
        return self._connections, snapshot

    async def rows(self, statement: str, parameters: Sequence[object]) -> Rows:
        """All rows."""
        pipeline = self._pipeline
        if pipeline is None or pipeline.is_broken:
            pipeline = await self._connected()
        try:
            return await pipeline.ask(statement, as_text(parameters))
        except PipelineBroken as error:
            raise DatabaseTrouble(str(error)) from error

    def spelt(self, statement: str) -> str:
        """Dollar signs and numbers."""
        numbers = itertools.count(1)
        first, *rest = statement.split("{p}")
        return first + "".join(f"${next(numbers)}{part}" for part in rest)

    async def _connected(self) -> Pipeline:
        async with self._connecting:
            if self._pipeline is None or self._pipeline.is_broken:
                if time.monotonic() < self._resting_until:
                    raise DatabaseTrouble("the database could not be reached just now")
                made = await asyncio.get_running_loop().run_in_executor(None, pq.PGconn.connect, self._conninfo)
                if made.status != pq.ConnStatus.OK:
                    self._resting_until = time.monotonic() + REST
                    raise DatabaseTrouble(made.get_error_message())
                self._pipeline = Pipeline(made)
                self._connections += 1
            return self._pipeline


def open_reader() -> Reader:
    """A reader of the database that the settings name."""
    return SQLite() if connection.vendor == "sqlite" else PostgreSQL()


def _conninfo() -> bytes:
    """Django's parameters for libpq; what only psycopg and Django understand is left out."""
    parameters = connection.get_connection_params()
    for key in ("cursor_factory", "context", "pool", "prepare_threshold", "server_side_binding"):
        parameters.pop(key, None)
    parameters.setdefault("connect_timeout", CONNECT_SECONDS)
    try:
        return make_conninfo(**parameters).encode()
    except psycopg.ProgrammingError as error:
        raise DatabaseTrouble(str(error)) from error


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
