"""Changing what is there: flags, deprecation, deletion, tags, tombstones. Bytes never change."""

from django.db import transaction
from django.db.models import Q, QuerySet

from packages.errors import LatestTagNeeded, PackageChanged, PackageNotFound, TagNotFound, VersionNotFound
from packages.formats.npm.versions import newest
from packages.models import Package, RetiredVersion, Tag, Tombstone, Version
from packages.services.epochs import bump_name
from packages.services.listing import list_in_search
from packages.services.publish import move_tag, touch
from packages.services.shadows import tell_of_owned, tell_of_shadowed
from registries.models import Registry
from registries.services import forget_name
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied, Invalid
from workspaces.services.audit import record

DEPRECATED_LENGTH = 4096  # characters
OWN_ORIGINS = (Version.Origin.PUBLISHED, Version.Origin.UPLOADED, Version.Origin.PUSHED)


def locked_package(registry: Registry, format: str, name: str) -> Package:  # noqa: A002 - the field's own word
    """The package with its name locked and its epoch bumped, inside the caller's transaction. Raises PackageNotFound."""
    bump_name(registry.workspace_id, format, name.lower())
    package = Package.objects.select_related("registry__workspace").filter(registry=registry, format=format, name=name).first()
    if package is None:
        raise PackageNotFound(f"There is no package {name[:214]} in {registry}.")
    return package


def version_of(package: Package, version: str) -> Version:
    """That version of the package. Raises VersionNotFound."""
    found = Version.objects.filter(package=package, version=version).first()
    if found is None:
        raise VersionNotFound(f"{package.name} has no version {version[:80]} here.")
    return found


@transaction.atomic
def deprecate(*, actor: Actor, registry: Registry, format: str, name: str, messages: dict[str, str]) -> int:  # noqa: A002
    """Set or (with "") clear deprecation messages, version by version; returns how many changed. Raises Denied, Invalid."""
    if any(len(message) > DEPRECATED_LENGTH for message in messages.values()):
        sentence = f"A deprecation message has at most {DEPRECATED_LENGTH:,} characters."
        raise Invalid(sentence, fields={"deprecated": "length"})
    _needs(actor, Action.PUBLISH, registry, format, name)
    package = locked_package(registry, format, name)
    changed = 0
    for version in Version.objects.filter(package=package, version__in=list(messages)):
        message = messages[version.version]
        if message == version.deprecated:
            continue
        old, version.deprecated = version.deprecated, message
        version.save(update_fields=["deprecated"])
        word = "version.deprecated" if message else "version.undeprecated"
        _record(actor, word, package, version.version, {"deprecated": old}, {"deprecated": message})
        changed += 1
    if changed:
        touch(package)
        list_in_search(package)
    else:  # nothing to change: the name's epoch stays, and so does everything rendered
        transaction.set_rollback(True)
    return changed


@transaction.atomic
def set_internal(*, actor: Actor, registry: Registry, format: str, name: str, version: str, internal: bool) -> Version:  # noqa: A002
    """Tick or untick one version. Unticking the last internal one makes the name public again (RULE.md)."""
    _needs(actor, Action.MANAGE, registry, format, name)
    package = locked_package(registry, format, name)
    found = version_of(package, version)
    if found.is_internal == internal:
        return found
    found.is_internal = internal
    found.save(update_fields=["is_internal"])
    if not internal and not Version.objects.filter(package=package, is_internal=True).exists():
        _tombstones(registry, format, package.folded).delete()
    touch(package)
    list_in_search(package)
    if internal and found.origin == Version.Origin.PULLED:
        tell_of_shadowed(package)
    elif internal:
        tell_of_owned(registry.workspace_id, format, package.folded)
    _record(actor, "version.internal", package, version, {"internal": not internal}, {"internal": internal})
    return found


@transaction.atomic
def set_tag(*, actor: Actor, registry: Registry, format: str, name: str, tag: str, version: str) -> None:  # noqa: A002
    """Point a tag at a version that is here. Raises Denied, PackageNotFound, VersionNotFound."""
    _needs(actor, Action.PUBLISH, registry, format, name)
    package = locked_package(registry, format, name)
    found = version_of(package, version)
    old = Tag.objects.filter(package=package, name=tag).values_list("version__version", flat=True).first()
    if old == version:
        return
    move_tag(package, tag, found)
    touch(package)
    if tag == "latest":
        list_in_search(package)
    _record(actor, "tag.set", package, version, {"tag": tag, "version": old}, {"tag": tag, "version": version})


@transaction.atomic
def remove_tag(*, actor: Actor, registry: Registry, format: str, name: str, tag: str) -> None:  # noqa: A002
    """Remove a tag. Raises LatestTagNeeded for `latest`, TagNotFound."""
    _needs(actor, Action.PUBLISH, registry, format, name)
    if tag == "latest":
        raise LatestTagNeeded("The tag “latest” cannot be removed; point it at another version instead.")
    package = locked_package(registry, format, name)
    found = Tag.objects.select_related("version").filter(package=package, name=tag).first()
    if found is None:
        raise TagNotFound(f"{name} has no tag “{tag[:80]}”.")
    found.delete()
    touch(package)
    _record(actor, "tag.removed", package, found.version.version, {"tag": tag}, None)


@transaction.atomic
def unpublish_version(*, actor: Actor, registry: Registry, format: str, name: str, version: str) -> None:  # noqa: A002
    """Delete one version. Its number is retired if it was the team's own; the name stays internal by a tombstone."""
    _needs(actor, Action.DELETE, registry, format, name)
    package = locked_package(registry, format, name)
    found = version_of(package, version)
    _retire(registry, package, [found])
    found.delete()
    left = list(Version.objects.filter(package=package))
    if left:
        _repoint_latest(package, left)
        touch(package)
        list_in_search(package)
    else:
        _delete(package)
    _record(actor, "version.deleted", package, version, {"internal": found.is_internal, "integrity": found.integrity}, None)


@transaction.atomic
def unpublish_package(*, actor: Actor, registry: Registry, format: str, name: str, expected_revision: int | None = None) -> int:  # noqa: A002
    """Delete a package with all its versions; returns how many there were.

    With `expected_revision` only as the caller last saw it: raises PackageChanged when somebody wrote since.
    """
    _needs(actor, Action.DELETE, registry, format, name)
    package = locked_package(registry, format, name)
    if expected_revision is not None and package.revision != expected_revision:
        raise PackageChanged(f"{name[:214]} changed while you looked; look again, and delete it then.")
    versions = list(Version.objects.filter(package=package))
    _retire(registry, package, versions)
    _delete(package)
    _record(actor, "package.deleted", package, None, {"versions": [version.version for version in versions]}, None)
    return len(versions)


@transaction.atomic
def remove_tombstone(*, actor: Actor, registry: Registry, format: str, name: str) -> None:  # noqa: A002
    """An explicit act: the name may be asked for outside again. Raises Denied, PackageNotFound."""
    _needs(actor, Action.MANAGE, registry, format, name)
    bump_name(registry.workspace_id, format, name.lower())
    if not _tombstones(registry, format, name.lower()).delete()[0]:
        raise PackageNotFound(f"No tombstone keeps {name[:214]} internal here.")
    subject = f"{registry} {format} {name}"
    record(actor, "tombstone.removed", subject, workspace=registry.workspace_id, old={"internal": True}, new={"internal": False})


def keep_internal(registry: Registry, format: str, folded: str, *, everywhere: bool, reason: str) -> bool:  # noqa: A002
    """Write a tombstone if there is none; returns whether one was written. Inside the caller's transaction."""
    _, created = Tombstone.objects.get_or_create(
        workspace_id=registry.workspace_id,
        registry=None if everywhere else registry,
        format=format,
        name=folded,
        defaults={"reason": reason[:300]},
    )
    return created


def _tombstones(registry: Registry, format: str, folded: str) -> QuerySet[Tombstone]:  # noqa: A002
    reach = Q(registry=None) | Q(registry=registry)
    return Tombstone.objects.filter(reach, workspace_id=registry.workspace_id, format=format, name=folded)


def _retire(registry: Registry, package: Package, doomed: list[Version]) -> None:
    own = [version for version in doomed if version.origin in OWN_ORIGINS or version.is_internal]
    for version in own:
        RetiredVersion.objects.get_or_create(registry=registry, format=package.format, name=package.name, version=version.version)
    internal = [version for version in doomed if version.is_internal]
    staying = Version.objects.filter(package=package, is_internal=True).exclude(pk__in=[version.pk for version in doomed])
    if internal and not staying.exists():
        everywhere = any(version.origin in OWN_ORIGINS for version in internal)
        reason = f"the last internal version in {registry} was deleted"
        keep_internal(registry, package.format, package.folded, everywhere=everywhere, reason=reason)


def _delete(package: Package) -> None:
    """The package, and the rights and the restriction that are kept by its name: whoever takes the name next begins anew."""
    forget_name(package.registry_id, package.format, package.name)
    package.delete()


def _repoint_latest(package: Package, left: list[Version]) -> None:
    if Tag.objects.filter(package=package, name="latest").exists():
        return
    fallback = newest(version.version for version in left) or left[-1].version
    move_tag(package, "latest", next(version for version in left if version.version == fallback))


def _needs(actor: Actor, action: Action, registry: Registry, format: str, name: str) -> None:  # noqa: A002
    if not actor.may(action, registry, Target(format, name)):
        raise Denied(f"{actor.name or 'This token'} may not {action} {name[:214]} in {registry}.")


def _record(actor: Actor, action: str, package: Package, version: str | None, old: object, new: object) -> None:
    subject = f"{package.registry} {package.format} {package.name}" + (f"@{version}" if version else "")
    record(actor, action, subject, workspace=package.registry.workspace_id, old=old, new=new)
