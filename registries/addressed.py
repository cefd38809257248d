"""The registry that an address names, in one statement made once: every request that is not answered by the hot path asks."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model

from registries.models import Registry
from workspaces import statements
from workspaces.models import Workspace

M = TypeVar("M", bound=Model)


def registry_at(workspace: str, slug: str) -> Registry | None:
    """By both slugs as they are now, with its workspace."""
    row = statements.row(_statement(), [workspace, slug])
    if row is None:
        return None
    width = len(_fields(Registry))
    found = _loaded(Registry, row[:width])
    found.workspace = _loaded(Workspace, row[width:])
    return found


@cache
def _statement() -> str:
    """All columns of both models, so that a new one needs nothing here."""
    quote = connection.ops.quote_name
    columns = [f"{table}.{quote(column)}" for table, model in (("r", Registry), ("w", Workspace)) for column in _fields(model)]
    return (
        f"SELECT {', '.join(columns)} FROM registries_registry r JOIN workspaces_workspace w ON w.id = r.workspace_id"  # noqa: S608
        " WHERE w.slug = %s AND r.slug = %s"
    )


@cache
def _fields(model: type[Model]) -> tuple[str, ...]:
    return tuple(field.attname for field in model._meta.concrete_fields)  # noqa: SLF001 - Django's documented API


def _loaded(model: type[M], values: tuple[Any, ...]) -> M:
    """The row as the ORM would give it; SQLite gives times without their zone, which is UTC."""
    aware = [value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value for value in values]
    return model.from_db(DEFAULT_DB_ALIAS, _fields(model), aware)
