"""The rows of a publish, in fixed statements that run on both databases: building them anew was half its cost.

A row that may be there already is written by one upsert, which also waits for whoever is writing it just now: no
savepoint and no second look. Everything here is called inside the caller's transaction, under the lock of the name
(`bump_name`), except `look_before`.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from packages.formats.publication import Publication, StagedFile
from packages.models import Package
from registries.models import Registry

RETIRED = "EXISTS(SELECT 1 FROM packages_retiredversion WHERE registry_id = %s AND format = %s AND name = %s AND version = %s)"
BEFORE = (
    "SELECT (SELECT v.id FROM packages_version v WHERE v.version = %s AND v.package_id ="  # noqa: S608 - constants only
    f" (SELECT p.id FROM packages_package p WHERE p.registry_id = %s AND p.format = %s AND p.name = %s)), {RETIRED}"
)
STANDING = (
    f"SELECT r.is_internal, {RETIRED}, EXISTS(SELECT 1 FROM packages_tag WHERE package_id = %s AND name = 'latest'),"  # noqa: S608
    " EXISTS(SELECT 1 FROM packages_version WHERE package_id = %s AND NOT is_internal AND origin = 'pulled'),"
    " (SELECT k.keyid FROM packages_signingkey k WHERE k.workspace_id = r.workspace_id AND k.expires_at IS NULL)"
    " FROM registries_registry r WHERE r.id = %s"
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
    has_pulled: bool
    keyid: str | None  # of the workspace's present signing key


def look_before(registry: Registry, publication: Publication) -> Before:
    """One statement, outside any transaction."""
    package = [registry.pk, publication.format, publication.name]
    version_id, is_retired = _row(BEFORE, [publication.version, *package, *package, publication.version])
    return Before(version_id, bool(is_retired))


def look_now(package: Package, publication: Publication) -> Now | None:
    """One statement; it must follow the lock, whose own statement sees the rows of before the wait. None: no such registry any more."""
    retired = [package.registry_id, publication.format, publication.name, publication.version]
    row = _row(STANDING, [*retired, package.pk, package.pk, package.registry_id])
    if not row:
        return None
    is_internal, is_retired, has_latest, has_pulled, keyid = row
    return Now(bool(is_internal), bool(is_retired), bool(has_latest), bool(has_pulled), keyid)


def write_package(registry: Registry, format: str, name: str) -> Package:  # noqa: A002 - the field's own word
    """The package, created when new, its revision moved on."""
    now, folded = _now(), name.lower()
    pk, revision = _row(PACKAGE, [registry.pk, format, name, folded, now, now])
    return Package(pk=pk, registry=registry, format=format, name=name, folded=folded, revision=revision)


def write_blob(package: Package, file: StagedFile) -> int:
    """The blob's id, and the package's right to it; the same bytes may come in under another name right now."""
    (blob_id,) = _row(BLOB, [file.sha256, file.sha512, file.sha1, file.size, _now()])
    _run(LINK, [package.pk, blob_id])
    return int(blob_id)


def write_file(version_id: int, name: str, blob_id: int) -> None:
    """The file of a version."""
    _run(FILE, [version_id, name, blob_id])


def write_tag(package_id: int, name: str, version_id: int) -> None:
    """A tag, new or moved."""
    _run(TAG, [package_id, name, version_id])


def _row(statement: str, values: list[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row: tuple[Any, ...] | None = cursor.fetchone()
    return row or ()


def _run(statement: str, values: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _now() -> object:
    """This moment as the database keeps it."""
    return connection.ops.adapt_datetimefield_value(timezone.now())
