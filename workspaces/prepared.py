"""PostgreSQL's prepared statements through libpq's plain calls (its manual, sections 34.3 and 54.2.3).

A driver's cursor costs about 90 µs of Python for each statement here, these calls 25. Values are made and read by
psycopg's own adapters: text for everything but bytes, so that the server infers the types when it prepares.
"""

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

BEGIN = b"BEGIN"
DONE = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})
HELD = "_gatehouse_prepared"  # the attribute of a connection that holds what was prepared on it


class Prepared:
    """The statements prepared on one connection; of the thread that has the connection just now."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection, self._names = connection, dict[str, bytes]()
        self._adapters = Transformer(connection)

    def rows(self, text: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement with its places as `%s`; begins a transaction as psycopg does. Raises psycopg.Error."""
        server = self._connection.pgconn
        if not self._connection.autocommit and server.transaction_status == pq.TransactionStatus.IDLE:
            self._checked(server.exec_(BEGIN))
        name = self._names.get(text) or self._prepare(server, text)
        forms = [PyFormat.BINARY if type(value) is bytes else PyFormat.TEXT for value in values]
        sent = self._adapters.dump_sequence(values, forms)
        result = self._checked(server.exec_prepared(name, sent, self._adapters.formats, pq.Format.TEXT))  # type: ignore[arg-type] # NULLs
        self._adapters.set_pgresult(result)
        return self._adapters.load_rows(0, result.ntuples, tuple)

    def _prepare(self, server: pq.abc.PGconn, text: str) -> bytes:
        name = b"gatehouse_%d" % len(self._names)
        self._checked(server.prepare(name, _numbered(text)))
        self._names[text] = name
        return name

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in DONE:
            raise psycopg.errors.error_from_result(result, encoding=self._connection.info.encoding)
        return result


def prepared_of(connection: "psycopg.Connection[Any]") -> Prepared:
    """What is prepared on this connection; it goes with the connection, also through a pool."""
    held: Prepared | None = vars(connection).get(HELD)
    if held is None:
        held = Prepared(connection)
        setattr(connection, HELD, held)
    return held


@lru_cache(maxsize=512)
def _numbered(text: str) -> bytes:
    """PostgreSQL's own spelling of the places."""
    numbers = itertools.count(1)
    parts = text.split("%s")
    return "".join(part + (f"${next(numbers)}" if at < len(parts) - 1 else "") for at, part in enumerate(parts)).replace("%%", "%").encode()
