"""Prepared statements on a real PostgreSQL: errors, rollbacks, what psycopg makes the server forget, a lost connection."""

import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.parts.postgres import Postgres
from workspaces.prepared import Prepared, prepared_of

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def connection(postgres: Postgres) -> Iterator[Connection]:
    """A connection to an empty database with one table, as Django has it: statements that are repeated get prepared."""
    with psycopg.connect(postgres.database().replace("postgres://", "postgresql://"), autocommit=True, prepare_threshold=1) as made:
        made.execute("CREATE TABLE held (name text PRIMARY KEY, data bytea, at timestamptz, many text[])")
        yield made


ADD = "INSERT INTO held (name, data) VALUES (%s, %s) RETURNING name"
READ = "SELECT data, '100%%' FROM held WHERE name = %s"


def test_values_come_back_as_they_went(connection: Connection) -> None:
    prepared = prepared_of(connection)

    assert prepared.rows(ADD, ["a\u20ac'\"\\", b"\x00\xff"]) == [("a\u20ac'\"\\",)]
    assert prepared.rows(READ, ["a\u20ac'\"\\"]) == [(b"\x00\xff", "100%")]
    assert prepared.rows(READ, ["none"]) == []
    assert prepared_of(connection) is prepared


def test_what_cannot_be_a_value_changes_nothing(connection: Connection) -> None:
    prepared = prepared_of(connection)
    with pytest.raises(psycopg.DataError):
        prepared.rows(ADD, ["nul \0", b""])
    with pytest.raises(psycopg.DataError):
        prepared.several([(READ, ["a"]), (ADD, ["nul \0", b""])])

    assert prepared.rows("SELECT count(*) FROM held", []) == [(0,)]


def test_an_error_is_the_drivers_own(connection: Connection) -> None:
    prepared = prepared_of(connection)
    prepared.rows(ADD, ["twice", b""])

    with pytest.raises(psycopg.errors.UniqueViolation):
        prepared.rows(ADD, ["twice", b""])
    with pytest.raises(psycopg.errors.UniqueViolation):
        prepared.several([(ADD, ["once", b""]), (ADD, ["twice", b""]), (READ, ["once"])])


def test_they_are_there_again_after_a_rollback(connection: Connection) -> None:
    """psycopg answers a ROLLBACK with DEALLOCATE ALL when it has prepared something itself."""
    prepared = prepared_of(connection)
    for number in range(3):
        connection.execute("SELECT name FROM held WHERE name = %s", [str(number)])
    prepared.rows(READ, ["a"])
    connection.autocommit = False
    prepared.rows(ADD, ["gone", b""])
    connection.rollback()
    connection.execute("SELECT 1")

    assert prepared.rows(READ, ["gone"]) == []
    assert prepared.several([(ADD, ["here", b"1"]), (READ, ["here"])])[-1] == [(b"1", "100%")]
    connection.commit()
    assert connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'gatehouse%'").fetchone() == (2,)


def test_it_begins_a_transaction_as_the_driver_does(connection: Connection) -> None:
    prepared = prepared_of(connection)
    connection.autocommit = False
    for first in (prepared.rows, lambda text, values: prepared.several([(text, values)])[0]):
        first(ADD, ["not yet", b""])
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
        connection.rollback()

    assert prepared.rows("SELECT count(*) FROM held", []) == [(0,)]


def test_a_pipeline_sees_what_was_committed_while_it_waited(connection: Connection) -> None:
    """The rows of behind a lock are those of after the wait: each statement has a look of its own."""
    connection.execute("INSERT INTO held (name, data) VALUES ('lock', '')")
    with psycopg.connect(connection.info.dsn, autocommit=False) as other:
        other.execute("UPDATE held SET data = 'new' WHERE name = 'lock'")
        connection.autocommit = False
        wait = Waiting(connection)
        wait.thread.start()
        wait.until_blocked(other)
        other.commit()
    wait.thread.join(10)

    assert wait.found == [(b"new", "100%")]


class Waiting:
    """A pipeline in a thread: it takes the row that somebody else has, then reads."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self.found = connection, list[tuple[object, ...]]()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        lock = "UPDATE held SET many = '{}' WHERE name = %s"
        self.found = Prepared(self._connection).several([(lock, ["lock"]), (READ, ["lock"])])[-1]

    def until_blocked(self, other: Connection) -> None:
        """Until the server says that it waits for a lock."""
        for _ in range(500):
            row = other.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
            if row != (0,):
                return
            time.sleep(0.01)
        raise AssertionError("nobody waits")


def test_a_lost_connection_is_an_error_and_no_endless_wait(connection: Connection) -> None:
    prepared = prepared_of(connection)
    prepared.rows(READ, ["a"])
    with psycopg.connect(connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])

    with pytest.raises(psycopg.OperationalError):
        prepared.several([(READ, ["a"]), (READ, ["b"])])
    assert connection.closed


def test_a_commit_goes_behind_once_its_condition_has_returned(connection: Connection) -> None:
    prepared, seen = prepared_of(connection), list[object]()
    connection.autocommit = False

    def condition() -> None:
        seen.append(_others_see(connection))

    assert prepared.several([(ADD, ["first", b""]), (ADD, ["kept", b""])], then_commit=condition)[-1] == [("kept",)]
    assert seen == [0]
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert _others_see(connection) == 2
    connection.commit()  # as Django does afterwards: there is nothing left to do


def test_the_server_works_while_the_condition_is_waited_for(connection: Connection) -> None:
    prepared = prepared_of(connection)
    connection.autocommit = False
    prepared.rows("SELECT 1", [])
    began = time.monotonic()
    prepared.several([("SELECT pg_sleep(0.5)", [])], then_commit=lambda: time.sleep(0.5))
    assert time.monotonic() - began < 0.9


def test_a_refused_condition_commits_nothing(connection: Connection) -> None:
    prepared = prepared_of(connection)
    connection.autocommit = False

    def refuse() -> None:
        raise LookupError("the disk is full")

    with pytest.raises(LookupError, match="full"):
        prepared.several([(ADD, ["not kept", b""])], then_commit=refuse)
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    connection.rollback()
    assert prepared.rows("SELECT count(*) FROM held", []) == [(0,)]


def test_a_failed_statement_is_not_committed(connection: Connection) -> None:
    prepared = prepared_of(connection)
    prepared.rows(ADD, ["twice", b""])
    connection.autocommit = False
    with pytest.raises(psycopg.errors.UniqueViolation):
        prepared.several([(ADD, ["once", b""]), (ADD, ["twice", b""])], then_commit=lambda: None)
    connection.rollback()
    assert _others_see(connection) == 1


def test_what_the_commit_refuses_is_raised(connection: Connection) -> None:
    prepared = prepared_of(connection)
    connection.execute("CREATE TABLE child (of text REFERENCES held DEFERRABLE INITIALLY DEFERRED)")
    connection.autocommit = False
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        prepared.several([("INSERT INTO child VALUES (%s)", ["nobody"])], then_commit=lambda: None)
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert prepared.rows("SELECT count(*) FROM child", []) == [(0,)]


def _others_see(connection: Connection) -> object:
    """How many rows of the table a connection of its own finds."""
    with psycopg.connect(connection.info.dsn) as other:
        found = other.execute("SELECT count(*) FROM held").fetchone()
    return found and found[0]


def test_a_connection_that_the_server_closed_is_the_databases_trouble(connection: Connection) -> None:
    """Not a fault of ours: what comes of it is a 503, not a 500."""
    prepared = prepared_of(connection)
    prepared.rows(READ, ["a"])
    with psycopg.connect(connection.info.dsn) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
    time.sleep(0.2)
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError):
            prepared.rows(READ, ["a"])
    with pytest.raises(psycopg.OperationalError):
        prepared.several([(READ, ["a"]), (READ, ["b"])])
