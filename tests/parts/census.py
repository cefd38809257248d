"""What an installation holds, counted and hashed: to show that a refusal changed nothing."""

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

OWN = ("workspaces_", "registries_", "packages_", "tokens_", "upstreams_")
# What reading may write: what upstreams said and what was rendered of it. Not the team's data.
READ_CACHES = frozenset({
    "upstreams_rendering", "upstreams_document", "upstreams_documentfile", "upstreams_upstreamdocument", "upstreams_pin",
    "packages_download",
})  # fmt: skip
RESTLESS = frozenset({"last_used_at", "last_login"})


@dataclass(frozen=True)
class Census:
    """Rows by table (count and digest), blob files by name, files left in staging."""

    rows: dict[str, tuple[int, str]]
    blobs: frozenset[str]
    staged: frozenset[str]


def census(database_url: str, data: Path) -> Census:
    """Count everything."""
    rows = {table: _digest(lines) for table, lines in _tables(database_url, data)}
    return Census(rows, _files(data / "blobs"), _files(data / "staging"))


def execute(database_url: str, data: Path, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement beside the server: to move a clock or look at a row. Placeholders are `?`."""
    if database_url:
        with psycopg.connect(database_url) as connection:
            done = connection.execute(statement.replace("?", "%s"), values)
            return list(done.fetchall()) if done.description else []
    with sqlite3.connect(data / "gatehouse.sqlite3", timeout=20) as database:
        return list(database.execute(statement, values).fetchall())


def _tables(database_url: str, data: Path) -> Iterator[tuple[str, list[str]]]:
    for table in _names(database_url, data):
        columns = _columns(database_url, data, table)
        chosen = ", ".join(f'"{column}"' for column in columns if column not in RESTLESS)
        yield table, sorted(repr(row) for row in execute(database_url, data, f'SELECT {chosen} FROM "{table}"'))


def _names(database_url: str, data: Path) -> list[str]:
    ask = (
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        if database_url
        else "SELECT name FROM sqlite_master WHERE type = 'table'"
    )
    names = [str(row[0]) for row in execute(database_url, data, ask)]
    return sorted(name for name in names if name.startswith(OWN) and name not in READ_CACHES)


def _columns(database_url: str, data: Path, table: str) -> list[str]:
    if database_url:
        ask = "SELECT column_name FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position"
        return [str(row[0]) for row in execute(database_url, data, ask, table)]
    return [str(row[1]) for row in execute(database_url, data, f'PRAGMA table_info("{table}")')]


def _digest(lines: list[str]) -> tuple[int, str]:
    return len(lines), hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _files(folder: Path) -> frozenset[str]:
    return frozenset(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
