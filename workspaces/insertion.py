"""Inserting one row with its SQL made once: building the statement anew is most of what the ORM's insert costs.

For rows that are written with every publish. Values go through the model's own fields, so a new column needs
nothing here; validation and signals are not run (nor are they by `bulk_create`).
"""

from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Field, Model


def insert(row: Model) -> None:
    """Insert `row`, which gets its primary key. Raises IntegrityError."""
    statement, fields = _statement(type(row), connection.vendor)
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as `Model.save` leaves it


@lru_cache(maxsize=64)
def _statement(model: type[Model], vendor: str) -> tuple[str, tuple["Field[Any, Any]", ...]]:  # noqa: ARG001 - quoting differs
    """`INSERT … RETURNING` over all columns but the key, and the fields in that order."""
    quote, options = connection.ops.quote_name, model._meta  # noqa: SLF001 - Django's documented API
    fields = tuple(field for field in options.concrete_fields if not field.primary_key)
    names, places = ", ".join(quote(str(field.column)) for field in fields), ", ".join(["%s"] * len(fields))
    pk = quote(str(options.pk.column))
    return f"INSERT INTO {quote(options.db_table)} ({names}) VALUES ({places}) RETURNING {pk}", fields  # noqa: S608 - our own names
