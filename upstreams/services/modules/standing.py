"""Which modules a registry may show, by what is known at home; nobody is asked."""

from collections.abc import Iterable, Sequence

from django.db.models import QuerySet

from packages import blobs
from packages.errors import PackageNotFound, VersionNotFound
from packages.formats.moonbit.names import Name
from packages.formats.moonbit.versions import is_version
from packages.models import File, Format, Version
from packages.selectors import UNSHADOWED
from registries.models import Registry
from upstreams.resolution import decide
from upstreams.selectors.facts import Ground, NameRows, facts_of
from upstreams.selectors.held import held_rows, tombstone_rows
from upstreams.services.files import OpenedFile
from upstreams.services.modules.chained import bring
from upstreams.services.modules.lines import shown_of

CHUNK = 500  # names judged at once


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
    """A version's zip; what is held behind is kept here and in each registry on the way.

    Raises PackageNotFound, VersionNotFound, and what `chained.bring` raises; FileNotFoundError when the storage has lost it.
    """
    if not is_version(version):
        raise _missing(registry, name, version)
    file = _zip(registry, name, version) or bring(registry, name, version)
    if file is None:
        raise _missing(registry, name, version)
    return OpenedFile(blobs.local_path(file.blob.sha256), file.blob.size, file.blob.sha256, name.archive(version))


def _zip(registry: Registry, name: Name, version: str) -> File | None:
    """Of what is held here."""
    shown = shown_versions(registry, name).filter(version=version)
    return File.objects.filter(version__in=shown).select_related("blob").first()


def _missing(registry: Registry, name: Name, version: str) -> PackageNotFound | VersionNotFound:
    if not shown_of(registry, name):
        return absent(registry, name)
    return VersionNotFound(f"There is no version {version[:80]} of {name.full} in {registry}.")


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
