"""The one statement of the hot path: caller, registry, epochs and document in a single round trip.

It answers only by rows the rule rendered (Rendering, Document, DocumentFile) and only while both epochs
are still current. Who may read is decided by the authoriser, from the columns returned here.
"""

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

import orjson
import psycopg
from django.conf import settings
from django.db import connection

from tokens.grants import TokenFacts
from workspaces.access import Actor, Grant, Role, Target

CALLER = (
    "t.id, t.name, t.read_only, CAST(t.registries AS TEXT), CAST(t.scopes AS TEXT), CAST(t.cidrs AS TEXT), t.expires_at,"
    " t.workspace_id, t.role,"
    " u.id, u.username, u.is_active, u.is_superuser, m.role, r.id, r.workspace_id, r.visibility"
)
FROM = (
    " FROM registries_registry r"
    " JOIN workspaces_workspace w ON w.id = r.workspace_id"
    " JOIN upstreams_rendering g ON g.registry_id = r.id AND g.format = 'npm' AND g.name = {p} AND g.rule_epoch = w.rule_epoch"
    " LEFT JOIN packages_nameepoch e ON e.workspace_id = w.id AND e.format = 'npm' AND e.name = g.folded"
    " LEFT JOIN tokens_token t ON t.secret_hash = {p}"
    " LEFT JOIN workspaces_user u ON u.id = t.owner_id"
    " LEFT JOIN workspaces_membership m ON m.user_id = t.owner_id AND m.workspace_id = w.id"
)
WHERE = " WHERE w.slug = {p} AND r.slug = {p} AND g.name_epoch = COALESCE(e.epoch, 0)"
DOCUMENT = (
    f"SELECT {CALLER}, d.id, d.etag, d.last_modified{FROM}"
    " JOIN upstreams_document d ON d.rendering_id = g.id AND d.form = {p} AND d.base_url = {p}"
    f"{WHERE} AND g.fresh_until > {{p}}"
)
FILE = (
    f"SELECT {CALLER}, f.sha256, f.size{FROM}"
    " JOIN upstreams_documentfile f ON f.rendering_id = g.id AND f.filename = {p}"
    f"{WHERE} AND g.files_until > {{p}}"
)
BODY = "SELECT body FROM upstreams_document WHERE id = {p} AND etag = {p}"
COLUMNS = 17  # of CALLER


@dataclass(frozen=True, slots=True)
class Registry:
    """The facts of a registry the authoriser needs."""

    id: int
    workspace_id: int
    is_public: bool


@dataclass(frozen=True, slots=True)
class Row:
    """What the statement found: who asks, where, and the columns of the document or file."""

    actor: Actor
    registry: Registry
    token_id: int | None
    found: tuple[Any, ...]


class Database(Protocol):
    """A way to run one statement, quickly, outside Django's connection handling."""

    placeholder: str
    is_instant: bool  # answers in microseconds: may run on the event loop itself

    def rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows. Raises DatabaseTrouble."""
        ...

    def moment(self, now: datetime) -> object:
        """`now` as the database compares it."""
        ...


class DatabaseTrouble(Exception):
    """The statement could not be run; the slow path will say what is wrong."""


class SQLite:
    """A read-only connection of this process; readers never wait in WAL mode."""

    placeholder, is_instant = "?", True

    def __init__(self) -> None:
        name = str(settings.DATABASES["default"]["NAME"])
        self._connection = sqlite3.connect(f"file:{name}?mode=ro", uri=True, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA mmap_size=134217728")
        self._lock = threading.Lock()

    def rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows."""
        try:
            with self._lock:
                return self._connection.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            raise DatabaseTrouble(str(error)) from error

    def moment(self, now: datetime) -> str:
        """As Django's SQLite backend stores it."""
        return now.replace(tzinfo=None).isoformat(" ", "microseconds")


class PostgreSQL:
    """One autocommit connection per thread of the small pool, statements prepared on first use."""

    placeholder, is_instant = "%s", False

    def __init__(self) -> None:
        self._local = threading.local()

    def rows(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """All rows; a broken connection is dropped, the next call makes a new one."""
        try:
            own = getattr(self._local, "connection", None)
            if own is None:
                own = self._local.connection = _connect()
            return own.execute(statement, parameters, prepare=True, binary=True).fetchall()
        except psycopg.Error as error:
            broken, self._local.connection = getattr(self._local, "connection", None), None
            if broken is not None:
                broken.close()
            raise DatabaseTrouble(type(error).__name__) from error

    def moment(self, now: datetime) -> datetime:
        """As it is."""
        return now


def open_database() -> Database:
    """The database the settings name."""
    return SQLite() if connection.vendor == "sqlite" else PostgreSQL()


class Statements:
    """The statements in the spelling of one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._document, self._file, self._body = (text.replace("{p}", database.placeholder) for text in (DOCUMENT, FILE, BODY))

    def document(self, key: tuple[str, str, str, str, str], secret_hash: str, ip: str, now: datetime) -> Row | None:
        """`key`: workspace, registry, name, form, base URL. `found`: document id, ETag, last modified."""
        workspace, registry, name, form, base_url = key
        moment = self.database.moment(now)
        rows = self.database.rows(self._document, (name, secret_hash, form, base_url, workspace, registry, moment))
        return read_row(rows[0], secret_hash, ip, now) if rows else None

    def file(self, key: tuple[str, str, str, str], secret_hash: str, ip: str, now: datetime) -> Row | None:
        """`key`: workspace, registry, name, file name. `found`: SHA-256, size."""
        workspace, registry, name, filename = key
        moment = self.database.moment(now)
        rows = self.database.rows(self._file, (name, secret_hash, filename, workspace, registry, moment))
        return read_row(rows[0], secret_hash, ip, now) if rows else None

    def body(self, document_id: int, etag: str) -> bytes | None:
        """The gzip bytes of a document, if they are still those of `etag`."""
        rows = self.database.rows(self._body, (document_id, etag))
        return bytes(rows[0][0]) if rows else None


def read_row(row: tuple[Any, ...], secret_hash: str, ip: str, now: datetime) -> Row | None:
    """The caller as the authoriser's Actor; None when the credentials are not plainly good (the slow path says why)."""
    (token_id, name, read_only, registries, scopes, cidrs, expires_at, service_of, service_role) = row[:9]
    (user_id, username, is_active, is_superuser, member_role, registry_id, workspace_id, visibility) = row[9:COLUMNS]
    registry = Registry(registry_id, workspace_id, visibility == "public")
    if not secret_hash:
        return Row(Actor(ip=ip), registry, None, row[COLUMNS:])
    if token_id is None or (user_id is not None and not is_active):
        return None
    facts, grant = token_facts(token_id, name, read_only, registries, scopes, cidrs, expires_at)
    if facts.is_over(now) or not facts.admits(ip):
        return None
    if user_id is None:
        actor = Actor(name=f"service {name}", roles={service_of: Role(service_role)}, grant=grant, ip=ip)
    else:
        roles = {} if member_role is None else {workspace_id: Role(member_role)}
        actor = Actor(user_id, username, bool(is_superuser), roles, grant, ip)
    return Row(actor, registry, token_id, row[COLUMNS:])


@lru_cache(maxsize=4096)
def token_facts(*columns: Any) -> tuple[TokenFacts, Grant]:
    """A token's columns as the authoriser wants them; the columns are read on every request, only this is remembered."""
    token_id, name, read_only, registries, scopes, cidrs, expires_at = columns
    facts = TokenFacts(token_id, name, bool(read_only), _json(registries), _json(scopes), _json(cidrs) or (), _moment(expires_at))
    return facts, facts.grant()


def target(name: str, *, is_restricted: bool = False) -> Target:
    """What is read: a package of that name, for members only if it is restricted."""
    return Target("npm", name, is_restricted)


def _connect() -> "psycopg.Connection[Any]":
    parameters = connection.get_connection_params()
    for key in ("cursor_factory", "context", "pool", "prepare_threshold", "server_side_binding"):
        parameters.pop(key, None)
    parameters.pop("client_encoding", None)
    return psycopg.connect(**parameters, autocommit=True, prepare_threshold=0)


def _json(value: str | None) -> Any:
    return None if value is None else orjson.loads(value)


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value if isinstance(value, datetime) else None
