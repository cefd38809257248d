"""The one statement of the hot path: caller, registry, epochs and document in a single round trip.

That of a file also tells whether anything is known of its name: what nobody has seen goes another way.

It answers only by rows the rule rendered (Rendering, Document, DocumentFile) and only while both epochs
are still current. Who may read is decided by the authoriser, from the columns returned here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from tokens.grants import TokenFacts
from upstreams.selectors.readers import Reader
from workspaces.access import Actor, Grant, Role, Target

CALLER = (
    "t.id, t.name, t.read_only, CAST(t.registries AS TEXT), CAST(t.scopes AS TEXT), CAST(t.cidrs AS TEXT), t.expires_at,"
    " t.workspace_id, t.role,"
    " u.id, u.username, u.is_active, u.is_superuser, m.role, r.id, r.workspace_id, r.visibility"
)  # and then until when the rendering says so
WHOSE = (
    " LEFT JOIN tokens_token t ON t.secret_hash = {p}"
    " LEFT JOIN workspaces_user u ON u.id = t.owner_id"
    " LEFT JOIN workspaces_membership m ON m.user_id = t.owner_id AND m.workspace_id = w.id AND m.is_active"
)
FROM = (
    " FROM registries_registry r"
    " JOIN workspaces_workspace w ON w.id = r.workspace_id"
    " JOIN upstreams_rendering g ON g.registry_id = r.id AND g.format = 'npm' AND g.name = {p} AND g.rule_epoch = w.rule_epoch"
    " LEFT JOIN packages_nameepoch e ON e.workspace_id = w.id AND e.format = 'npm' AND e.name = g.folded"
    f"{WHOSE}"
)
WHERE = " WHERE w.slug = {p} AND r.slug = {p} AND g.name_epoch = COALESCE(e.epoch, 0)"
DOCUMENT = (
    f"SELECT {CALLER}, g.is_restricted, g.fresh_until, d.id, d.etag, d.last_modified, LENGTH(d.body), g.is_stale{FROM}"
    " JOIN upstreams_document d ON d.rendering_id = g.id AND d.form = {p} AND d.base_url = {p}"
    f"{WHERE} AND g.fresh_until > {{p}}"
)
KNOWN = (  # anything at all, of the registry or its workspace; parameters: folded, folded, name, name, name, name
    "EXISTS(SELECT 1 FROM packages_package p JOIN registries_registry h ON h.id = p.registry_id"
    " WHERE h.workspace_id = w.id AND p.format = 'npm' AND p.folded = {p})"
    " OR EXISTS(SELECT 1 FROM packages_tombstone b WHERE b.workspace_id = w.id AND b.format = 'npm' AND b.name = {p})"
    " OR EXISTS(SELECT 1 FROM packages_retiredversion v WHERE v.registry_id = r.id AND v.format = 'npm' AND v.name = {p})"
    " OR EXISTS(SELECT 1 FROM upstreams_pin i WHERE i.registry_id = r.id AND i.format = 'npm' AND i.name = {p})"
    " OR EXISTS(SELECT 1 FROM upstreams_rendering g WHERE g.registry_id = r.id AND g.format = 'npm' AND g.name = {p})"
    " OR EXISTS(SELECT 1 FROM upstreams_upstreamdocument d JOIN upstreams_upstream u ON u.id = d.upstream_id"
    " WHERE u.registry_id = r.id AND d.name = {p})"
)
FILE = (
    f"SELECT {CALLER}, COALESCE(g.is_restricted, FALSE), g.files_until, f.sha256, f.size,"  # noqa: S608 - constants only
    f" COALESCE(e.epoch, 0), w.rule_epoch, CASE WHEN g.id IS NULL THEN {KNOWN} ELSE TRUE END"
    " FROM registries_registry r"
    " JOIN workspaces_workspace w ON w.id = r.workspace_id"
    " LEFT JOIN packages_nameepoch e ON e.workspace_id = w.id AND e.format = 'npm' AND e.name = {p}"
    " LEFT JOIN upstreams_rendering g ON g.registry_id = r.id AND g.format = 'npm' AND g.name = {p} AND g.rule_epoch = w.rule_epoch"
    " AND g.name_epoch = COALESCE(e.epoch, 0) AND g.files_until > {p}"
    " LEFT JOIN upstreams_documentfile f ON f.rendering_id = g.id AND f.filename = {p}"
    f"{WHOSE} WHERE w.slug = {{p}} AND r.slug = {{p}}"
)
BODY = "SELECT body FROM upstreams_document WHERE id = {p} AND etag = {p}"
COLUMNS = 19  # of CALLER, whether members only, and the time


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
    is_restricted: bool  # the name: members only, although the registry is public
    until: float  # by the clock, seconds since 1970: what the rendering and the token allow
    found: tuple[Any, ...]


class Statements:
    """The statements in the spelling of one database."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._document, self._file, self._body = (reader.spelt(text) for text in (DOCUMENT, FILE, BODY))

    async def document(self, key: tuple[str, str, str, str, str], secret_hash: str, ip: str, now: datetime) -> Row | None:
        """`key`: workspace, registry, name, form, base URL. `found`: id, ETag, last modified, bytes, stale. Raises DatabaseTrouble."""
        workspace, registry, name, form, base_url = key
        rows = await self._reader.rows(self._document, (name, secret_hash, form, base_url, workspace, registry, now))
        return read_row(rows[0], secret_hash, ip, now) if rows else None

    async def file(self, key: tuple[str, str, str, str], secret_hash: str, ip: str, now: datetime) -> Row | None:
        """`key`: workspace, registry, name, file name.

        `found`: SHA-256 and size, None where the file is not listed; the name's epoch and the rule's; whether anything is known of
        the name. Raises DatabaseTrouble.
        """
        workspace, registry, name, filename = key
        folded = name.lower()
        known = (folded, folded, name, name, name, name)
        rows = await self._reader.rows(self._file, (*known, folded, name, now, filename, secret_hash, workspace, registry))
        return read_row(rows[0], secret_hash, ip, now) if rows else None

    async def body(self, document_id: int, etag: str) -> bytes | None:
        """The gzip bytes of a document, if they are still those of `etag`. Raises DatabaseTrouble."""
        rows = await self._reader.rows(self._body, (document_id, etag))
        return bytes(rows[0][0]) if rows else None


def read_row(row: tuple[Any, ...], secret_hash: str, ip: str, now: datetime) -> Row | None:
    """The caller as the authoriser's Actor; None when the credentials are not plainly good (the slow path says why)."""
    (token_id, name, read_only, registries, scopes, cidrs, expires_at, service_of, service_role) = row[:9]
    (user_id, username, is_active, is_superuser, member_role, registry_id, workspace_id, visibility) = row[9 : COLUMNS - 2]
    registry = Registry(registry_id, workspace_id, visibility == "public")
    restricted, allowed = bool(row[COLUMNS - 2]), _timestamp(row[COLUMNS - 1])
    if not secret_hash:
        return Row(Actor(ip=ip), registry, None, restricted, allowed, row[COLUMNS:])
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
    if facts.expires_at is not None:
        allowed = min(allowed, facts.expires_at.timestamp())
    return Row(actor, registry, token_id, restricted, allowed, row[COLUMNS:])


@lru_cache(maxsize=4096)
def token_facts(*columns: Any) -> tuple[TokenFacts, Grant]:
    """A token's columns as the authoriser wants them; the columns are read on every request, only this is remembered."""
    token_id, name, read_only, registries, scopes, cidrs, expires_at = columns
    facts = TokenFacts(token_id, name, bool(read_only), _json(registries), _json(scopes), _json(cidrs) or (), _moment(expires_at))
    return facts, facts.grant()


def target(name: str, *, is_restricted: bool = False) -> Target:
    """What is read: a package of that name, for members only if it is restricted."""
    return Target("npm", name, is_restricted)


def _json(value: str | None) -> Any:
    return None if value is None else orjson.loads(value)


def _timestamp(value: str | datetime | None) -> float:
    moment = _moment(value)
    return moment.timestamp() if moment else 0.0


def _moment(value: object) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value if isinstance(value, datetime) else None
