"""What a format brings to moving versions about: what words mean, what versions need, who judges a name, which bytes were seen first."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from packages.formats.errors import NameInvalid
from packages.formats.moonbit import index as moonbit
from packages.formats.moonbit import versions as numbers
from packages.formats.moonbit.names import parse_name
from packages.formats.npm import ranges
from packages.formats.npm.names import parse_known
from packages.formats.npm.versions import sort_key
from packages.models import File, Format, Version
from registries.models import Registry
from upstreams.services import pinning, resolve
from upstreams.services.documents import composed
from upstreams.services.modules import pins
from upstreams.services.modules import resolve as modules
from upstreams.terms import Decision

Needed = list[tuple["Named", str]]  # names, and the word for the version each is wanted in
LATEST = "latest"


class Named(Protocol):
    """A name of whatever format."""

    @property
    def full(self) -> str:
        """As it is written."""

    @property
    def folded(self) -> str:
        """As the rule compares it."""


@dataclass(frozen=True, kw_only=True)
class Trade:
    """One format's part.

    `needed`: what a kept manifest asks for, and the names of what comes from elsewhere. `picked`: the one version a build
    takes. `tags_seen`: what clients of a registry see, which shows these numbers of its own. `others`: the first number of
    which a registry has seen other bytes, or ''. `keep`: pin a version where it was sent; whether its bytes are those seen first.
    """

    format: str
    parse: Callable[[str], Any]
    sort_key: Callable[[str], Any]
    judge: Callable[[Registry, Any], Decision]
    meant_by: Callable[[str, Iterable[str], Mapping[str, str]], list[str]]
    picked: Callable[[str, Iterable[str], Mapping[str, str]], str | None]
    needed: Callable[[bytes], tuple[Needed, list[str]]]
    tags_seen: Callable[[Registry, Any, Iterable[str]], Mapping[str, str]]
    others: Callable[[int, Any, Sequence[Version]], str]
    keep: Callable[[int, Any, Version], bool]


def newest_standing(versions: Mapping[str, bool]) -> dict[str, str]:
    """`latest` of a module: its highest release that is not withdrawn; versions with whether they are."""
    standing = sorted((version for version, is_yanked in versions.items() if not is_yanked), key=numbers.sort_key)
    releases = [version for version in standing if "-" not in version.partition("+")[0]]
    return {LATEST: (releases or standing)[-1]} if standing else {}


def meant_of_modules(word: str, versions: Iterable[str], tags: Mapping[str, str]) -> list[str]:
    """An exact number, `latest`, or `*` for all, oldest first; modules have no ranges and no other tags."""
    known = sorted(versions, key=numbers.sort_key)
    if word == ranges.EVERY:
        return known
    wanted = tags.get(word, word)
    return [wanted] if wanted in known else []


def _npm_needed(manifest: bytes) -> tuple[Needed, list[str]]:
    found, elsewhere = ranges.dependencies_of(orjson.loads(manifest))
    return [(one.name, one.wanted) for one in found], elsewhere


def _npm_tags(registry: Registry, name: Any, _shown: Iterable[str]) -> Mapping[str, str]:
    tags: Mapping[str, str] = composed(resolve.peek(registry, name))["dist-tags"]
    return tags


def _npm_others(registry_id: int, name: Any, versions: Sequence[Version]) -> str:
    known = pinning.pins_of(registry_id, name)
    return next((one.version for one in versions if pinning.has_seen_others(known, one)), "")


def _npm_keep(registry_id: int, name: Any, version: Version) -> bool:
    known = pinning.pin_one(registry_id, name, version.version, version.integrity)
    return not pinning.has_seen_others({version.version: known}, version)


def _module_needed(manifest: bytes) -> tuple[Needed, list[str]]:
    """The least versions a module asks for, which are those a build takes."""
    found: Needed = []
    for name, wanted in moonbit.dependencies_of(manifest).items():
        try:
            found.append((parse_name(name), wanted))
        except NameInvalid:
            continue
    return found, []


def _module_tags(registry: Registry, name: Any, shown: Iterable[str]) -> Mapping[str, str]:
    held = Version.objects.filter(
        package__registry=registry, package__format=Format.MOONBIT, package__name=name.full, version__in=list(shown)
    )
    return newest_standing(dict(held.values_list("version", "is_yanked")))


def _module_others(registry_id: int, name: Any, versions: Sequence[Version]) -> str:
    known = pins.pins_of(registry_id, name)
    sums = dict(File.objects.filter(version__in=[one.pk for one in versions]).values_list("version__version", "blob__sha256"))
    return next((version for version, sha256 in sums.items() if known.get(version, pins.sri(sha256)) != pins.sri(sha256)), "")


def _module_keep(registry_id: int, name: Any, version: Version) -> bool:
    seen = pins.sri(File.objects.values_list("blob__sha256", flat=True).get(version=version))
    return version.is_internal or pins.pin_one(registry_id, name, version.version, seen) == seen


NPM = Trade(
    format=Format.NPM,
    parse=parse_known,
    sort_key=sort_key,
    judge=resolve.judge,
    meant_by=ranges.meant_by,
    picked=ranges.picked,
    needed=_npm_needed,
    tags_seen=_npm_tags,
    others=_npm_others,
    keep=_npm_keep,
)
MODULES = Trade(
    format=Format.MOONBIT,
    parse=parse_name,
    sort_key=numbers.sort_key,
    judge=modules.judge,
    meant_by=meant_of_modules,
    picked=lambda wanted, versions, _tags: wanted if wanted in set(versions) else None,
    needed=_module_needed,
    tags_seen=_module_tags,
    others=_module_others,
    keep=_module_keep,
)
TRADES: Mapping[str, Trade] = {NPM.format: NPM, MODULES.format: MODULES}
