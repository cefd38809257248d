"""The rows of a publish, in fixed statements that run on both databases: building them anew was half its cost.

A row that may be there already is written by one upsert, which also waits for whoever is writing it just now: no
savepoint and no second look. Everything here is called inside the caller's transaction, under the lock of the name
(`enter` takes it), except `look_before`. PostgreSQL, where each statement is a journey, gets the same rows in fewer ones
(data-modifying WITH; its manual, section 7.8.4).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.utils import timezone

from packages.formats.publication import Publication, StagedFile
from packages.models import Package, Version
from packages.services.epochs import BUMP
from registries.models import Registry
from workspaces.insertion import as_loaded, insert, statement_for
from workspaces.prepared import Statement
from workspaces.statements import Write, is_postgresql, last_row, moment, row, run, several

# A package's id, on its own: where it was joined, PostgreSQL sought versions by their number alone while it knew nothing of the
# tables yet, and kept to that for a minute (measured: 3 ms of each of the first 3,000 packages of a mirror job).
ID_OF = "(SELECT p.id FROM packages_package p WHERE p.registry_id = %s AND p.format = {} AND p.name = %s)"
PACKAGE_ID, MODULE_ID, ANY_ID = (ID_OF.format(one) for one in ("'npm'", "'moonbit'", "%s"))
RETIRED = "EXISTS(SELECT 1 FROM packages_retiredversion WHERE registry_id = %s AND format = %s AND name = %s AND version = %s)"
BEFORE = (
    "SELECT (SELECT v.id FROM packages_version v"  # noqa: S608 - constants only
    f" WHERE v.version = %s AND v.package_id = {ANY_ID}), {RETIRED}"
)
STANDING = (
    f"SELECT r.is_internal, {RETIRED}, EXISTS(SELECT 1 FROM packages_tag WHERE package_id = {{package}} AND name = 'latest'),"  # noqa: S608
    " EXISTS(SELECT 1 FROM packages_package p WHERE p.format = %s AND p.folded = %s AND p.registry_id IN"
    " (SELECT w.id FROM registries_registry w WHERE w.workspace_id = r.workspace_id) AND (SELECT v.id FROM packages_version v"
    " WHERE v.package_id = p.id AND NOT v.is_internal AND v.origin = 'pulled' LIMIT 1) IS NOT NULL),"  # by the package: see ID_OF
    " (SELECT v.id FROM packages_version v WHERE v.package_id = {package} AND v.version = %s),"
    " (SELECT k.keyid FROM packages_signingkey k WHERE k.workspace_id = r.workspace_id AND k.expires_at IS NULL)"
)
PACKAGE = (
    "INSERT INTO packages_package (registry_id, format, name, folded, revision, created_at, updated_at)"
    " VALUES (%s, %s, %s, %s, 1, %s, %s) ON CONFLICT (registry_id, format, name)"
    " DO UPDATE SET revision = packages_package.revision + 1, updated_at = excluded.updated_at RETURNING id, revision"
)
BLOB = (
    "INSERT INTO packages_blob (sha256, sha512, sha1, size, created_at) VALUES (%s, %s, %s, %s, %s)"
    " ON CONFLICT (sha256) DO UPDATE SET size = packages_blob.size RETURNING id"
)
LINK = "INSERT INTO packages_bloblink (package_id, blob_id) VALUES (%s, %s) ON CONFLICT DO NOTHING"
FILE = "INSERT INTO packages_file (version_id, name, blob_id) VALUES (%s, %s, %s)"
TAG = (
    "INSERT INTO packages_tag (package_id, name, version_id) VALUES (%s, %s, %s)"
    " ON CONFLICT (package_id, name) DO UPDATE SET version_id = excluded.version_id"
)
STANDING_NOW = STANDING.replace("{package}", "%s") + " FROM registries_registry r WHERE r.id = %s"
ENTER = (
    f"WITH package AS ({PACKAGE}) {STANDING.replace('{package}', 'package.id')}, package.id, package.revision"
    " FROM package, registries_registry r WHERE r.id = %s"
)
LINKING = "INSERT INTO packages_bloblink (package_id, blob_id) SELECT %s::bigint, blob.id FROM blob ON CONFLICT DO NOTHING"
FILING = "INSERT INTO packages_file (version_id, name, blob_id) SELECT version.id, %s, blob.id FROM version, blob"
TAGGING = (
    "INSERT INTO packages_tag (package_id, name, version_id)"
    " SELECT %s::bigint, named, version.id FROM version, unnest(%s::text[]) named"
    " ON CONFLICT (package_id, name) DO UPDATE SET version_id = excluded.version_id"
)


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of a version before its bytes were stored: its row's id, and whether its number is retired."""

    version_id: int | None
    is_retired: bool


@dataclass(frozen=True, slots=True)
class Now:
    """What decides how a version enters, read under the lock of its name."""

    is_internal: bool
    is_retired: bool
    has_latest: bool
    has_pulled: bool  # some registry of the workspace has pulled versions of the name that are not internal
    version_id: int | None  # of the version, when it is there
    keyid: str | None  # of the workspace's present signing key


def look_before(registry: Registry, publication: Publication) -> Before:
    """One statement, outside any transaction."""
    package = [registry.pk, publication.format, publication.name]
    version_id, is_retired = row(BEFORE, [publication.version, *package, *package, publication.version]) or (None, False)
    return Before(version_id, bool(is_retired))


def enter(registry: Registry, publication: Publication) -> tuple[Package, Now] | None:
    """The name locked, its package, created when new, with its revision moved on, and what decides; None when the registry is gone.

    The lock is a statement of its own: one that takes it sees the rows of before the wait.
    """
    now, name, folded = moment(timezone.now()), publication.name, publication.name.lower()
    entering = [registry.pk, publication.format, name, folded, now, now]
    retired, version = [registry.pk, publication.format, name, publication.version], publication.version
    lock = (BUMP, [registry.workspace_id, publication.format, folded])
    if is_postgresql():
        found = last_row([lock, (ENTER, [*entering, *retired, publication.format, folded, version, registry.pk])])
    else:
        package = last_row([lock, (PACKAGE, entering)]) or ()
        found = row(STANDING_NOW, [*retired, package[0], publication.format, folded, package[0], version, registry.pk])
        found = found and (*found, *package)
    if found is None:
        return None
    is_internal, is_retired, has_latest, has_pulled, version_id, keyid, pk, revision = found
    entered = Package(pk=pk, registry=registry, format=publication.format, name=name, folded=folded, revision=revision)
    return entered, Now(bool(is_internal), bool(is_retired), bool(has_latest), bool(has_pulled), version_id, keyid)


def write_version(
    version: Version,
    file: StagedFile,
    filename: str,
    tags: Sequence[str],
    also: Sequence[Write] = (),
    *,
    behind: Sequence[Statement] = (),
    then_commit: Callable[[], object] | None = None,
) -> None:
    """The version, its blob and the package's right to it, its file, the tags that point at it, and what else is to be written.

    The blob may be there already, or come in under another name right now. `behind`: statements to be run after it, in the
    same journey. `then_commit`: nothing follows in the caller's transaction, which may be committed as soon as that has
    returned. Raises IntegrityError, and what `then_commit` raises.
    """
    if is_postgresql():
        writing = version_statement(version, file, filename, tags, also)
        as_loaded(version, *several([writing, *behind], then_commit=then_commit)[0][0])
        return
    (blob_id,) = row(BLOB, _blob(file)) or ()
    run(LINK, [version.package_id, blob_id])
    insert(version)
    run(FILE, [version.pk, filename, blob_id])
    for tag in tags:
        write_tag(version.package_id, tag, version.pk)
    several([*((write.text, write.values) for write in also), *behind])
    if then_commit is not None:
        then_commit()


def version_statement(version: Version, file: StagedFile, filename: str, tags: Sequence[str], also: Sequence[Write]) -> Statement:
    """The same as the one statement of PostgreSQL's, which returns the version's id, to be run together with others."""
    statement = statement_for(Version)
    after = [version.package_id, filename, version.package_id, list(tags), *(value for write in also for value in write.values)]
    whole = _whole(statement.text, tuple((write.name, write.text) for write in also))
    return whole, [*_blob(file), *statement.values(version), *after]


def _blob(file: StagedFile) -> list[object]:
    return [file.sha256, file.sha512, file.sha1, file.size, moment(timezone.now())]


@lru_cache(maxsize=32)
def _whole(version: str, also: Sequence[tuple[str, str]]) -> str:
    """What PostgreSQL is asked: everything in one statement. Its parts see nothing of each other's rows but what they return."""
    parts = (("version", version), ("link", LINKING), ("file", FILING), ("tag", TAGGING), *also)
    return f"WITH blob AS ({BLOB}), {', '.join(f'{name} AS ({text})' for name, text in parts)} SELECT id FROM version"  # noqa: S608 - constants only


def write_tag(package_id: int, name: str, version_id: int) -> None:
    """A tag, new or moved."""
    run(TAG, [package_id, name, version_id])
