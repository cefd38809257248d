"""Which modules a registry may show, by what is known at home; nobody is asked."""

from collections.abc import Iterable, Sequence

from django.db.models import Q, QuerySet

from packages import blobs
from packages.errors import PackageNotFound, VersionNotFound
from packages.formats.moonbit.names import Name
from packages.formats.moonbit.versions import is_version
from packages.models import File, Format, Version
from registries.models import Registry
from upstreams.resolution import decide
from upstreams.selectors.facts import Ground, NameRows, facts_of
from upstreams.selectors.held import held_rows, tombstone_rows
from upstreams.services.files import OpenedFile

CHUNK = 500  # names judged at once
UNSHADOWED = Q(is_internal=True) | ~Q(origin=Version.Origin.PULLED)


def internal_names(registry: Registry, names: Iterable[str]) -> set[str]:
    """Those of `names` that are internal here. An internal upstream's earlier word counts too: it left a tombstone."""
    listed, ground, found = sorted(set(names)), Ground.read(registry.workspace_id, Format.MOONBIT), set[str]()
    for start in range(0, len(listed), CHUNK):
        found.update(_internal(registry, ground, listed[start : start + CHUNK]))
    return found


def shown_versions(registry: Registry, name: Name) -> QuerySet[Version]:
    """What the registry holds of a module, without what is shadowed."""
    found = Version.objects.filter(package__registry=registry, package__format=Format.MOONBIT, package__name=name.full)
    return found.filter(UNSHADOWED) if internal_names(registry, [name.full]) else found


def open_zip(registry: Registry, name: Name, version: str) -> OpenedFile:
    """A version's zip. Raises PackageNotFound, VersionNotFound; FileNotFoundError when the storage has lost it."""
    shown = shown_versions(registry, name)
    file = File.objects.filter(version__in=shown.filter(version=version)).select_related("blob").first() if is_version(version) else None
    if file is None and not shown.exists():
        raise absent(registry, name)
    if file is None:
        raise VersionNotFound(f"There is no version {version[:80]} of {name.full} in {registry}.")
    return OpenedFile(blobs.local_path(file.blob.sha256), file.blob.size, file.blob.sha256, name.archive(version))


def absent(registry: Registry, name: Name) -> PackageNotFound:
    """There is no such module, in the words of the gate about one that the caller may not know of."""
    return PackageNotFound(f"There is no package {name.full} in {registry}.")


def _internal(registry: Registry, ground: Ground, names: Sequence[str]) -> Iterable[str]:
    folded = sorted({name.lower() for name in names})
    held = held_rows(registry.workspace_id, Format.MOONBIT, folded)
    tombstones = tombstone_rows(registry.workspace_id, Format.MOONBIT, folded)
    for name in names:
        about = NameRows(held.get(name.lower(), ()), tombstones.get(name.lower(), {}))
        if decide(facts_of(registry, name, ground, about)).is_internal is True:
            yield name
