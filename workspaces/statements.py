"""Statements of fixed text, handed to the database's own driver: for what every publish and every slow request asks.

Django's cursor converts a statement's text anew each time, and psycopg's looks for it among those prepared: together
several times the cost of running it. Here SQLite gets the converted text from a cache, PostgreSQL a prepared statement
by its name (`workspaces.prepared`). All of it on Django's own connection and inside its transactions, with its
exceptions. Where somebody looks on (`CaptureQueriesContext`, `execute_wrapper`, DEBUG) Django's cursor is used.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from workspaces.prepared import Row, Statement, prepared_of


class Write(NamedTuple):
    """A change that is to be run later, perhaps as a part of another statement; `name` is its own in there."""

    name: str
    text: str
    values: Sequence[Any]


def database() -> BaseDatabaseWrapper:
    """This thread's connection itself: every attribute of Django's proxy is a search."""
    return connections[DEFAULT_DB_ALIAS]


def rows(text: str, values: Sequence[Any]) -> list[Row]:
    """Run a statement with its places as `%s`; all its rows. Raises Django's database errors."""
    return _rows(database(), text, values)


def row(text: str, values: Sequence[Any]) -> Row | None:
    """The same; its first row, None when there is none."""
    found = rows(text, values)
    return found[0] if found else None


def last_row(statements: Sequence[Statement], *, then_commit: Callable[[], object] | None = None) -> Row | None:
    """What `several` does; the first row of the last."""
    found = several(statements, then_commit=then_commit)[-1]
    return found[0] if found else None


def at_once() -> None:
    """`then_commit` of whoever has nothing to wait for before the COMMIT."""


def several(statements: Sequence[Statement], *, then_commit: Callable[[], object] | None = None) -> list[list[Row]]:
    """Run several one after the other, in one journey where each would be one; the rows of each.

    `then_commit`: nothing follows in the caller's `atomic`, which may be committed as soon as that has returned. In the
    outermost one the COMMIT goes in the same journey, and the database works meanwhile.
    """
    here = database()
    is_together = is_postgresql() and not _is_watched(here)
    if is_together:
        _make_ready(here)
        with here.wrap_database_errors:
            behind = then_commit if _is_outermost(here) else None
            found = prepared_of(here.connection).several(statements, then_commit=behind)
    else:
        found = [_rows(here, text, values) for text, values in statements]
    if then_commit is not None and not (is_together and _is_outermost(here)):
        then_commit()
    return found


def run(text: str, values: Sequence[Any]) -> None:
    """The same, for a statement without rows."""
    rows(text, values)


@cache
def is_postgresql() -> bool:
    """Whether a statement is a journey, so that fewer and longer ones pay."""
    return database().vendor == "postgresql"


def locking(text: str) -> str:
    """A SELECT that keeps its rows from others until the end of the transaction; SQLite's writers are alone anyway."""
    return f"{text} FOR UPDATE" if is_postgresql() else text


def sharing(text: str) -> str:
    """A SELECT whose rows nobody changes until the end of the transaction; others may hold them in the same way."""
    return f"{text} FOR SHARE" if is_postgresql() else text


def moment(value: datetime) -> object:
    """An aware time as the database keeps it."""
    return value if is_postgresql() else database().ops.adapt_datetimefield_value(value)


def is_outermost() -> bool:
    """Whether leaving the present `atomic` commits."""
    return _is_outermost(database())


def _rows(here: BaseDatabaseWrapper, text: str, values: Sequence[Any]) -> list[Row]:
    if _is_watched(here):
        return _shown(here, text, values)
    _make_ready(here)
    with here.wrap_database_errors:
        if here.vendor == "sqlite":
            found: list[Row] = here.connection.execute(_question_marks(text), values).fetchall()
            return found
        return prepared_of(here.connection).rows(text, values)


def _is_watched(here: BaseDatabaseWrapper) -> bool:
    return bool(here.execute_wrappers) or here.queries_logged


def _is_outermost(here: BaseDatabaseWrapper) -> bool:
    """Whether leaving the present `atomic` commits. Its own COMMIT then finds nothing open and psycopg sends none."""
    return here.in_atomic_block and here.commit_on_exit and not here.savepoint_ids


def _make_ready(here: BaseDatabaseWrapper) -> None:
    """What Django's cursor does before each statement."""
    here.validate_no_broken_transaction()
    here.ensure_connection()


def _shown(here: BaseDatabaseWrapper, text: str, values: Sequence[Any]) -> list[Row]:
    """By Django's cursor, for whoever looks on."""
    with here.cursor() as cursor:
        cursor.execute(text, values)
        return [] if cursor.description is None else list(cursor.fetchall())


@lru_cache(maxsize=512)
def _question_marks(text: str) -> str:
    """SQLite's own spelling of the places."""
    return text.replace("%s", "?").replace("%%", "%")
