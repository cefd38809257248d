"""Inserting one row with its SQL made once: building the statement anew is most of what the ORM's insert costs.

For rows that are written with every publish, and with every package that comes in. Values go through the model's own
fields where these do anything with them, so a new column needs nothing here; validation and signals are not run (nor
are they by `bulk_create`).
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, BinaryField, BooleanField, CharField, Field, ForeignKey, Model

from workspaces import prepared, statements
from workspaces.statements import database

# What a row holds is what is stored. Bytes as well: in psycopg's own wrapper they would go as hexadecimal text.
PLAIN = (CharField, BigIntegerField, BooleanField, ForeignKey, BinaryField)


class Statement(NamedTuple):
    """`INSERT … RETURNING`, and per column the attribute and what is done with its value, in that order."""

    text: str
    columns: tuple[tuple[str, Callable[[Model, BaseDatabaseWrapper], Any] | None], ...]

    def values(self, row: Model) -> list[Any]:
        """The row's values for the statement."""
        held, here = row.__dict__, database()
        return [held[name] if prepare is None else prepare(row, here) for name, prepare in self.columns]


def insert(row: Model) -> None:
    """Insert `row`, which gets its primary key. Raises IntegrityError."""
    statement = statement_for(type(row))
    as_loaded(row, *(statements.row(statement.text, statement.values(row)) or ()))


def upsert(row: Model, unique: Sequence[str]) -> None:
    """Insert `row`, or bring the one with the same `unique` columns up to it; it gets that one's primary key."""
    as_loaded(row, *(statements.row(*upserting(row, unique)) or ()))


def upsert_last(row: Model, unique: Sequence[str], before: Sequence[prepared.Statement] = ()) -> None:
    """The same, together with what is to be run `before`; nothing follows in the caller's transaction."""
    as_loaded(row, *(statements.last_row([*before, upserting(row, unique)], then_commit=statements.at_once) or ()))


def upserting(row: Model, unique: Sequence[str]) -> prepared.Statement:
    """The statement that does it, to be run together with others; the caller leaves the key alone."""
    return _upserting(type(row), tuple(unique)), statement_for(type(row)).values(row)


def as_loaded(row: Model, pk: int) -> None:
    """The row is stored under `pk`: as `Model.save` leaves it."""
    row.pk = pk
    row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001 - Django has no other way


@lru_cache(maxsize=64)
def statement_for(model: type[Model]) -> Statement:
    """The statement that inserts rows of `model`, all columns but the key; also for writing more in the same one."""
    quote, options = connection.ops.quote_name, model._meta  # noqa: SLF001 - Django's documented API
    fields = [field for field in options.concrete_fields if not field.primary_key]
    names, places = ", ".join(quote(str(field.column)) for field in fields), ", ".join(["%s"] * len(fields))
    text = f"INSERT INTO {quote(options.db_table)} ({names}) VALUES ({places}) RETURNING {quote(str(options.pk.column))}"  # noqa: S608
    return Statement(text, tuple((field.attname, _preparing(field)) for field in fields))


@lru_cache(maxsize=64)
def _upserting(model: type[Model], unique: tuple[str, ...]) -> str:
    quote, options = connection.ops.quote_name, model._meta  # noqa: SLF001 - Django's documented API
    others = [str(field.column) for field in options.concrete_fields if not field.primary_key and field.column not in unique]
    inserting, _, returning = statement_for(model).text.rpartition(" RETURNING ")
    changes = ", ".join(f"{quote(one)} = excluded.{quote(one)}" for one in others)
    return f"{inserting} ON CONFLICT ({', '.join(map(quote, unique))}) DO UPDATE SET {changes} RETURNING {returning}"


def _preparing(field: "Field[Any, Any]") -> Callable[[Model, BaseDatabaseWrapper], Any] | None:
    """What makes a stored value of a row's; None for fields that store what they are given. A moment that is set stays."""
    if type(field) in PLAIN:
        return None

    def prepare(row: Model, here: BaseDatabaseWrapper) -> Any:
        held = row.__dict__[field.attname]
        return field.get_db_prep_save(field.pre_save(row, True) if held is None else held, here)

    return prepare
