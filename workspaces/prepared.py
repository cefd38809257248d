"""PostgreSQL's prepared statements through libpq's plain calls (its manual, sections 34.3 and 54.2.3).

A driver's cursor costs about 90 µs of Python for each statement here, these calls 25. Values are made and read by
psycopg's own adapters: text for everything but bytes, so that the server infers the types when it prepares.
"""

import itertools
import select
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer

Row = tuple[Any, ...]
Statement = tuple[str, Sequence[Any]]  # text, values

BEGIN, COMMIT = b"BEGIN", b"COMMIT"
DONE = frozenset({pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK})
HELD = "_gatehouse_prepared"  # the attribute of a connection that holds what was prepared on it


class Prepared:
    """The statements prepared on one connection; of the thread that has the connection just now."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection, self._names, self._numbers = connection, dict[str, bytes](), itertools.count()
        self._adapters = Transformer(connection)
        self._hear_of_deallocations()

    def rows(self, text: str, values: Sequence[Any]) -> list[Row]:
        """Run the statement with its places as `%s`; begins a transaction as psycopg does. Raises psycopg.Error."""
        if self._must_begin():  # together with it
            return self.several([(text, values)])[0]
        return self._loaded(self._connection.pgconn.exec_prepared(*self._made(text, values), pq.Format.TEXT))

    def several(self, statements: Sequence[Statement], *, then_commit: Callable[[], object] | None = None) -> list[list[Row]]:
        """Run several, one after the other in one journey (pipeline mode; the manual, section 34.5); the rows of each.

        Each sees what is committed when its turn comes, as if it had been sent alone. With `then_commit` a COMMIT goes behind
        them once that has returned, which is called while the server works; what it raises commits nothing. Raises psycopg.Error
        of the first that fails.
        """
        made = [self._made(text, values) for text, values in statements]
        server, begins = self._connection.pgconn, self._must_begin()
        server.enter_pipeline_mode()
        try:
            if begins:
                server.send_query_params(BEGIN, None)
            for one in made:
                server.send_query_prepared(*one, pq.Format.TEXT)
            refused = _commit_behind(server, then_commit) if then_commit is not None else None
            server.pipeline_sync()
            _send_all(server)
            results = [_answer(server) for _ in range(begins + len(made) + (then_commit is not None and refused is None))]
            _answer(server)  # the end of the pipeline
            server.exit_pipeline_mode()
        except BaseException:  # who knows what is still to come on it
            self._connection.close()
            raise
        found = [self._loaded(result) for result in results]
        if refused is not None:
            raise refused
        return found[begins : begins + len(made)]

    def _must_begin(self) -> bool:
        return not self._connection.autocommit and self._connection.pgconn.transaction_status == pq.TransactionStatus.IDLE

    def _name(self, text: str) -> bytes:
        """The statement, prepared when it is new."""
        name = self._names.get(text)
        if name is None:
            name = b"gatehouse_%d" % next(self._numbers)
            self._checked(self._connection.pgconn.prepare(name, _numbered(text)))
            self._names[text] = name
        return name

    def _hear_of_deallocations(self) -> None:
        """After a rollback psycopg lets the server forget all prepared statements, ours among them, and tells nobody."""
        deallocate = self._connection._deallocate  # noqa: SLF001 - tests/storage/test_prepared.py watches that it still is that one

        def deallocated(name: bytes | None) -> PQGen[None]:
            if name is None:
                self._names.clear()
            return deallocate(name)

        self._connection._deallocate = deallocated  # type: ignore[method-assign] # noqa: SLF001 - the same

    def _made(self, text: str, values: Sequence[Any]) -> tuple[bytes, Any, list[pq.Format] | None]:
        """Name, values and their formats, as libpq takes them."""
        forms = [PyFormat.BINARY if type(value) is bytes else PyFormat.TEXT for value in values]
        return self._name(text), self._adapters.dump_sequence(values, forms), self._adapters.formats

    def _loaded(self, result: pq.abc.PGresult) -> list[Row]:
        self._adapters.set_pgresult(self._checked(result))
        return self._adapters.load_rows(0, result.ntuples, tuple)

    def _checked(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in DONE:
            if self._connection.pgconn.status == pq.ConnStatus.BAD:  # no word of the server's, so psycopg would name no kind
                raise psycopg.OperationalError(result.get_error_message(self._connection.info.encoding))
            raise psycopg.errors.error_from_result(result, encoding=self._connection.info.encoding)
        return result


def _commit_behind(server: pq.abc.PGconn, condition: Callable[[], object]) -> Exception | None:
    """Send a COMMIT when the condition has returned; what it raised instead."""
    _send_all(server)
    try:
        condition()
    except Exception as refused:  # noqa: BLE001 - raised again when the answers are read
        return refused
    server.send_query_params(COMMIT, None)
    return None


def _send_all(server: pq.abc.PGconn) -> None:
    while server.flush():
        _wait(server, select.POLLIN | select.POLLOUT)
        server.consume_input()  # what it does not get rid of may keep it from taking more


def _answer(server: pq.abc.PGconn) -> pq.abc.PGresult:
    """The next result of a pipeline; an empty one stands between two of them."""
    for _ in range(2):
        while server.is_busy():  # waiting in libpq would keep the interpreter's lock
            _wait(server, select.POLLIN)
            server.consume_input()
        result = server.get_result()
        if result is not None:
            return result
    raise psycopg.OperationalError("the connection was lost")


def _wait(server: pq.abc.PGconn, events: int) -> None:
    poll = select.poll()
    poll.register(server.socket, events)
    poll.poll()


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
