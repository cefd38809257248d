"""What an installation holds, counted and hashed: to show that a refusal changed nothing."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

OWN = ("workspaces_", "registries_", "packages_", "tokens_", "upstreams_")
# What reading may write: what upstreams said and what was rendered of it. Not the team's data.
READ_CACHES = frozenset({
    "upstreams_rendering", "upstreams_document", "upstreams_documentfile", "upstreams_upstreamdocument", "upstreams_pin",
    "packages_download", "upstreams_indexcommit",
})  # fmt: skip
Ask = Callable[..., list[tuple[Any, ...]]]
RESTLESS = frozenset({"last_used_at", "last_used_ip", "last_login"})


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
    with _conversation(database_url, data) as ask:
        return ask(statement, *values)


@contextmanager
def _conversation(database_url: str, data: Path) -> Iterator[Ask]:
    """One connection for any number of statements: a new one costs PostgreSQL a process."""
    if database_url:
        with psycopg.connect(database_url) as connection:

            def ask(statement: str, *values: object) -> list[tuple[Any, ...]]:
                done = connection.execute(statement.replace("?", "%s"), values)
                return list(done.fetchall()) if done.description else []

            yield ask
    else:
        with closing(sqlite3.connect(data / "gatehouse.sqlite3", timeout=20)) as database, database:
            yield lambda statement, *values: list(database.execute(statement, values).fetchall())


def _tables(database_url: str, data: Path) -> Iterator[tuple[str, list[str]]]:
    with _conversation(database_url, data) as ask:
        for table, columns in _columns(ask, COLUMNS[bool(database_url)]).items():
            chosen = ", ".join(f'"{column}"' for column in columns if column not in RESTLESS)
            yield table, sorted(repr(row) for row in ask(f'SELECT {chosen} FROM "{table}"'))


COLUMNS = {
    True: (
        "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
        " ORDER BY c.relname, a.attnum"
    ),
    False: "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY m.name, c.cid",
}


def _columns(ask: Ask, statement: str) -> dict[str, list[str]]:
    """The tables of ours that count, each with its columns."""
    found: dict[str, list[str]] = {}
    for table, column in ask(statement):
        if table.startswith(OWN) and table not in READ_CACHES:
            found.setdefault(table, []).append(column)
    return found


def _digest(lines: list[str]) -> tuple[int, str]:
    return len(lines), hashlib.sha256("\n".join(lines).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _files(folder: Path) -> frozenset[str]:
    return frozenset(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
