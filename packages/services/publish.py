"""Publishing a version, from whatever door: refuse, store the bytes, then one short transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from packages.blobs import Storing
from packages.errors import VersionExists, VersionRetired
from packages.formats.publication import Publication
from packages.models import Format, Package, Version
from packages.services.listing import listing_writes
from packages.services.rows import Before, Now, enter, look_before, write_tag, write_version
from packages.services.shadows import tell_of_owned
from packages.services.signing import UNSIGNED, Signature, sign
from packages.services.turns import turn
from registries.gate import RegistryNotFound
from registries.models import Registry
from registries.services import restrict
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied
from workspaces.prepared import Statement
from workspaces.services.audit import event_write, record
from workspaces.statements import Write, is_postgresql

Also = Callable[[Version], Sequence[Write]]


def no_more(_: Version) -> Sequence[Write]:
    """Nothing else is to be written with a version."""
    return ()


@dataclass(frozen=True)
class Published:
    """The version, and whether this very call created it (False: the same bytes were there already)."""

    version: Version
    created: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a version enters: its origin, its flag, and whether `latest` moves with it if no tag says so."""

    origin: str
    is_internal: bool
    signature: Signature = UNSIGNED


def publish(*, actor: Actor, registry: Registry, publication: Publication, origin: str = Version.Origin.PUBLISHED) -> Published:
    """Publish one version; internal as the registry is at the moment of the commit.

    The same bytes again answer `created=False` and change nothing. Raises Denied, VersionExists, VersionRetired.
    """
    if not actor.may(Action.PUBLISH, registry, Target(publication.format, publication.name)):
        raise Denied(f"{actor.name} may not publish {publication.name} here.")
    with Storing(publication.file) as storing:
        try:
            if storing.is_long or not is_postgresql():  # else the look is a part of the lock's journey
                _refuse(publication, look_before(registry, publication))
                storing.begin()
            if storing.is_long:  # nobody's transaction waits for it
                storing.settle()
            with turn(before=storing.settle):
                return _commit(actor, registry, publication, origin, storing)
        except (VersionExists, IntegrityError):  # it was there, or somebody else was first between our look and our commit
            found = _existing(registry, publication)
            if found is None:
                raise
            return _same_or_refuse(found, publication)


def add_version(
    package: Package,
    publication: Publication,
    actor: Actor,
    standing: Standing,
    also: Also = no_more,
    *,
    behind: Sequence[Statement] = (),
    then_commit: Callable[[], object] | None = None,
) -> Version:
    """Insert the rows of one version: blob, link, version, file, and what `also` asks for. Inside the caller's transaction.

    `behind`: what is to be run after it, in the same journey. `then_commit`: nothing follows in the transaction.
    """
    version = new_version(package, publication, actor, standing)
    write_version(version, publication.file, publication.filename, (), also(version), behind=behind, then_commit=then_commit)
    return version


def new_version(package: Package, publication: Publication, actor: Actor, standing: Standing) -> Version:
    """The row, not yet written."""
    file = publication.file
    return Version(
        package_id=package.pk,
        version=publication.version,
        manifest=publication.manifest,
        is_internal=standing.is_internal,
        origin=standing.origin,
        integrity=file.integrity,
        shasum=file.sha1,
        size=file.size,
        deprecated=publication.deprecated,
        published_by_id=actor.user_id,
        published_by_name=actor.name[:128],
        differences=list(publication.differences),
        signed_by=standing.signature.keyid,
        signature=standing.signature.value,
        created_at=timezone.now(),
    )


def touch(package: Package) -> None:
    """Move the revision on: every write changes `_rev`, and with it the ETag."""
    Package.objects.filter(pk=package.pk).update(revision=F("revision") + 1, updated_at=timezone.now())


def move_tag(package: Package, name: str, version: Version) -> None:
    """Point a tag at a version."""
    write_tag(package.pk, name, version.pk)


@transaction.atomic
def _commit(actor: Actor, registry: Registry, publication: Publication, origin: str, storing: Storing) -> Published:
    entered = enter(registry, publication)
    if entered is None:
        raise RegistryNotFound(f"The registry {registry} was deleted just now.")
    package, now = entered
    _refuse(publication, now)
    storing.begin()
    if publication.is_restricted:
        _restrict_first(actor, registry, package)
    standing = Standing(origin=origin, is_internal=now.is_internal, signature=_signature(registry, publication, now.keyid))
    version = new_version(package, publication, actor, standing)
    tags = publication.tags if now.has_latest or "latest" in publication.tags else (*publication.tags, "latest")
    new = {"internal": now.is_internal, "integrity": version.integrity, "size": version.size, "tags": list(publication.tags)}
    subject = f"{registry} {publication.format} {publication.name}@{publication.version}"
    event = event_write(actor, f"version.{origin}", subject, workspace=registry.workspace_id, new=new)
    listed = listing_writes(package, version) if "latest" in tags else ()
    if publication.differences:
        told = {"differences": list(publication.differences)}
        record(actor, "version.manifest_differs", subject, workspace=registry.workspace_id, new=told)
    if now.is_internal and now.has_pulled:
        tell_of_owned(registry.workspace_id, package.format, package.folded)
    # The bytes are durable before the row is.
    write_version(version, publication.file, publication.filename, tags, (*listed, event), then_commit=storing.settle)
    return Published(version, created=True)


def _signature(registry: Registry, publication: Publication, keyid: str | None) -> Signature:
    """Ours, over what npm clients check; other formats have ways of their own."""
    if publication.format != Format.NPM:
        return UNSIGNED
    return sign(registry.workspace_id, keyid, f"{publication.name}@{publication.version}:{publication.file.integrity}")


def _restrict_first(actor: Actor, registry: Registry, package: Package) -> None:
    """`npm publish --access restricted` counts for the first version, and where the registry is not for members anyway."""
    own = Version.objects.filter(package=package).exclude(origin=Version.Origin.PULLED)
    if Registry.objects.get(pk=registry.pk).is_public and not own.exists() and restrict(registry.pk, package.format, package.name):
        subject = f"{registry} {package.format} {package.name}"
        record(actor, "access.status", subject, workspace=registry.workspace_id, old={"restricted": False}, new={"restricted": True})


def _existing(registry: Registry, publication: Publication) -> Version | None:
    return Version.objects.filter(
        package__registry=registry,
        package__format=publication.format,
        package__name=publication.name,
        version=publication.version,
    ).first()


def _same_or_refuse(found: Version, publication: Publication) -> Published:
    if found.integrity == publication.file.integrity:
        return Published(found, created=False)
    raise _exists(publication)


def _refuse(publication: Publication, known: Before | Now) -> None:
    """Before any byte is stored. Raises VersionExists, VersionRetired."""
    if known.version_id is not None:
        raise _exists(publication)
    if known.is_retired:
        raise VersionRetired(f"{publication.name}@{publication.version} was published and deleted; its number is not given out again.")


def _exists(publication: Publication) -> VersionExists:
    return VersionExists(f"You cannot publish over the existing version {publication.version} of {publication.name}; choose a new number.")
