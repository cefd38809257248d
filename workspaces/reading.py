"""Reading rows of a model by statements of fixed text: building them anew is most of what the ORM's own reading costs.

For what is read many times for each package that comes in. Values go through the model's own fields, as the ORM does it.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model

from workspaces import statements
from workspaces.statements import database

M = TypeVar("M", bound=Model)
Convert = Callable[[Any, Any, BaseDatabaseWrapper], Any]


class Columns(NamedTuple):
    """The columns of a model: as a statement names them, the attributes, and what is to be converted (place, field, how)."""

    text: str
    attributes: tuple[str, ...]
    conversions: tuple[tuple[int, Any, Convert], ...]


def read(model: type[M], tail: str, values: Sequence[Any], *, without: str = "") -> list[M]:
    """The rows of `SELECT … FROM {its table} t {tail}`, as instances; `without`: a column that is left to be fetched when asked for."""
    return made(model, statements.rows(selecting(model, tail, without=without), values), without=without)


def selecting(model: type[M], tail: str, *, without: str = "") -> str:
    """The statement itself, to be run together with others."""
    return f'SELECT {_columns(model, without).text} FROM "{model._meta.db_table}" t {tail}'  # noqa: S608, SLF001 - names of our own tables


def made(model: type[M], rows: Sequence[Sequence[Any]], *, without: str = "") -> list[M]:
    """Instances of what that statement found."""
    columns = _columns(model, without)
    if not columns.conversions:
        return [model.from_db(DEFAULT_DB_ALIAS, columns.attributes, row) for row in rows]
    here = database()
    return [model.from_db(DEFAULT_DB_ALIAS, columns.attributes, _converted(row, columns, here)) for row in rows]


def first(model: type[M], tail: str, values: Sequence[Any], *, without: str = "") -> M | None:
    """The first of them, or None."""
    found = read(model, tail, values, without=without)
    return found[0] if found else None


def _converted(row: Sequence[Any], columns: Columns, here: BaseDatabaseWrapper) -> list[Any]:
    values = list(row)
    for place, field, convert in columns.conversions:
        values[place] = convert(values[place], field, here)
    return values


@lru_cache(maxsize=64)
def _columns(model: type[Model], without: str) -> Columns:
    options = model._meta  # noqa: SLF001 - Django's documented API
    fields = [field for field in options.concrete_fields if field.column != without]
    text = ", ".join(f't."{field.column}"' for field in fields)
    conversions = [
        (place, expression, one) for place, field in enumerate(fields) for expression, one in _conversions(field, options.db_table)
    ]
    return Columns(text, tuple(field.attname for field in fields), tuple(conversions))


def _conversions(field: "Field[Any, Any]", table: str) -> list[tuple[Any, Convert]]:
    """What the database's values of a field go through, in order (Django's SQLCompiler.get_converters)."""
    expression = field.get_col(table)
    return [(expression, one) for one in (*connection.ops.get_db_converters(expression), *field.get_db_converters(connection))]
