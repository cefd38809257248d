"""Looking at rows with plain SQL from inside a Django test."""

from typing import Any

from django.db import connection


def rows(statement: str, *values: str | int | None) -> list[tuple[Any, ...]]:
    """What the statement finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
