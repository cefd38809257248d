"""Taking versions over from another registry of the workspace: rows and rights, no bytes.

The team's own versions arrive as `pushed`, internal if they were or if the registry is. What came from an upstream stays
what it is: `pulled`, with the flag it has (RULE.md: a version pulled from a source that is not internal is not internal,
even in an internal registry).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from packages.errors import VersionExists, VersionRetired
from packages.formats.moonbit.index import dated
from packages.formats.npm.ranges import tags_that_follow
from packages.formats.npm.versions import sort_key
from packages.formats.publication import Publication, StagedFile
from packages.models import Format, Package, Version
from packages.services.listing import list_in_search, list_pulled, listing_writes
from packages.services.publish import Standing, add_version, move_tag
from packages.services.rows import ANY_ID, Now, enter
from packages.services.shadows import tell_of_owned, tell_of_shadowed
from packages.services.signing import UNSIGNED, sign
from registries.gate import RegistryNotFound
from registries.models import Registry
from workspaces import reading, statements
from workspaces.access import Actor
from workspaces.services.audit import SYSTEM, record

HELD = f"WHERE t.package_id = {ANY_ID} AND t.version = %s"
FILE = (
    "SELECT f.name, b.size, b.sha1, b.sha256, b.sha512 FROM packages_file f JOIN packages_blob b ON b.id = f.blob_id"
    " WHERE f.version_id = %s ORDER BY f.id"
)
LATEST = "SELECT v.version FROM packages_tag t JOIN packages_version v ON v.id = t.version_id WHERE t.package_id = %s AND t.name = 'latest'"


@dataclass(frozen=True)
class Received:
    """A version where it was to go; `is_new`: it came by this very call. `source`: the row it was taken from.

    `is_lifted`: it was here, pulled or not internal, and is internal by this call.
    """

    version: Version
    source: Version
    is_new: bool
    tags: tuple[str, ...] = ()
    is_lifted: bool = False


def receive(*, actor: Actor, registry: Registry, versions: Iterable[Version], tags: Mapping[str, str]) -> list[Received]:
    """Take over `versions`, all of one package, whose tags are `tags`. Inside the caller's transaction.

    One after the other: no more than one manifest is in memory, and what is returned has none.

    The same bytes under the same number are met: they become internal if the newcomer is, or would be. Raises VersionExists (other
    bytes), VersionRetired.
    """
    found = [_without_manifest(_receive(actor, registry, version)) for version in versions]
    new = [one for one in found if one.is_new]
    if new:
        package = new[0].version.package
        if package.format == Format.NPM:
            found = _tagged(package, found, tags)
            _list(package, [one for one in found if one.is_new])
    shown = [one.version for one in found if one.is_lifted or (one.is_new and one.version.is_internal)]
    if any(is_own(version) for version in shown):
        tell_of_owned(registry.workspace_id, shown[0].package.format, shown[0].package.folded)
    elif shown:
        tell_of_shadowed(shown[0].package)
    return found


def is_own(version: Version) -> bool:
    """Whether it is the team's own: published, uploaded or pushed, not pulled."""
    return version.origin != Version.Origin.PULLED


def _without_manifest(one: Received) -> Received:
    one.version.manifest = one.source.manifest = b""
    return one


def _receive(actor: Actor, registry: Registry, source: Version) -> Received:
    publication = _publication(source)
    present = reading.first(Version, HELD, [registry.pk, publication.format, publication.name, source.version])
    if present is not None:
        return _meet(actor, registry, present, source)
    entered = enter(registry, publication)
    if entered is None:
        raise RegistryNotFound(f"The registry {registry} was deleted just now.")
    package, now = entered
    if now.is_retired:
        subject = f"{publication.name}@{publication.version}"
        raise VersionRetired(f"{subject} was deleted from {registry} earlier, and its number is not given out again there.")
    who = actor if is_own(source) else SYSTEM
    version = add_version(package, publication, who, _standing(registry, source, publication, now))
    version.package = package
    if source.is_yanked:
        Version.objects.filter(pk=version.pk).update(is_yanked=True)
    return Received(version, source, is_new=True)


def _standing(registry: Registry, source: Version, publication: Publication, now: Now) -> Standing:
    if not is_own(source):
        return Standing(origin=Version.Origin.PULLED, is_internal=source.is_internal, signature=UNSIGNED)
    if publication.format != Format.NPM:
        return Standing(origin=Version.Origin.PUSHED, is_internal=source.is_internal or now.is_internal)
    signature = sign(registry.workspace_id, now.keyid, f"{publication.name}@{publication.version}:{publication.file.integrity}")
    return Standing(origin=Version.Origin.PUSHED, is_internal=source.is_internal or now.is_internal, signature=signature)


def _meet(actor: Actor, registry: Registry, held: Version, source: Version) -> Received:
    """The number is taken: by the same bytes, which become internal if the newcomer is; or by others, which stay."""
    subject = f"{registry} {held.package.format} {held.package.name}@{held.version}"
    if held.integrity != source.integrity:
        raise VersionExists(f"{registry} holds other bytes under {held.package.name}@{held.version} and keeps them.")
    becomes = source.is_internal or (registry.is_internal and is_own(source) and not is_own(held))
    if becomes and not held.is_internal:
        enter(registry, _publication(source))  # moves the name's epoch and the package's revision on
        Version.objects.filter(pk=held.pk).update(is_internal=True)
        held.is_internal = True
        list_in_search(held.package)
        record(actor, "version.internal", subject, workspace=registry.workspace_id, old={"internal": False}, new={"internal": True})
        return Received(held, source, is_new=False, is_lifted=True)
    return Received(held, source, is_new=False)


def _tagged(package: Package, found: list[Received], tags: Mapping[str, str]) -> list[Received]:
    """Let the tags follow the versions that are new; what was pulled is never made `latest` for being the highest."""
    new = {one.version.version: one.version for one in found if one.is_new}
    own = [number for number, version in new.items() if is_own(version)]
    latest = statements.row(LATEST, [package.pk])
    following = {tag: number for tag, number in tags.items() if number in new}
    following |= tags_that_follow(own, tags, latest[0] if latest is not None else None)
    for tag, number in following.items():
        move_tag(package, tag, new[number])
    pointing: dict[str, list[str]] = {}
    for tag, number in sorted(following.items()):
        pointing.setdefault(number, []).append(tag)
    return [replace(one, tags=tuple(pointing.get(one.version.version, ()))) for one in found]


def _list(package: Package, new: list[Received]) -> None:
    """Let search know: of the one that is `latest` now; of what was pulled, the highest."""
    shown = next((one.version for one in new if "latest" in one.tags), None)
    pulled = [one.version for one in new if not is_own(one.version)]
    if shown is not None:
        shown.refresh_from_db(fields=["manifest"])
        for write in listing_writes(package, shown):
            statements.run(write.text, write.values)
    elif pulled:
        highest = max(pulled, key=lambda version: sort_key(version.version))
        highest.refresh_from_db(fields=["manifest"])
        list_pulled(package, highest)


def _publication(source: Version) -> Publication:
    """The version as it is, its bytes where they are."""
    filename, size, sha1, sha256, sha512 = statements.row(FILE, [source.pk]) or ("", 0, "", "", "")
    return Publication(
        format=source.package.format,
        name=source.package.name,
        version=source.version,
        manifest=_manifest(source),
        tags=(),
        filename=filename,
        file=StagedFile(path=Path(), size=size, sha1=sha1, sha256=sha256, sha512=sha512),
        deprecated=source.deprecated,
        differences=tuple(source.differences),
    )


def _manifest(source: Version) -> bytes:
    """As it is kept; of a module with the time it came into being, which its line in the index tells."""
    kept = bytes(source.manifest)
    return dated(kept, source.created_at.isoformat(timespec="seconds")) if source.package.format == Format.MOONBIT else kept
