"""Which versions a word means: an exact number, a range, a dist-tag, `*`; and what a manifest depends on. Pure.

Ranges as node-semver reads them; one version of many is picked as npm-pick-manifest does: what `latest` points at if it
fits, else the highest.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nodesemver

from packages.formats.errors import NameInvalid, TagInvalid
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.versions import check_tag, is_version, newest, sort_key

EVERY = "*"
LENGTH = 256  # characters of a range
GROUPS = ("optionalDependencies", "dependencies", "peerDependencies")  # what installing a package brings along; the first word counts
PER_VERSION = 2000  # dependencies of one manifest that are followed
ALIAS = "npm:"


@dataclass(frozen=True, slots=True)
class Dependency:
    """What a manifest asks for: a name, the word for its versions, and whether the package can do without."""

    name: Name
    wanted: str
    is_optional: bool = False


def is_word(text: str) -> bool:
    """Whether a text can mean versions: `*` or nothing, a number, a range, or what a dist-tag may be called."""
    if text.strip() in {"", EVERY}:
        return True
    try:
        check_tag(text.strip())
    except TagInvalid:
        return _range(text) is not None
    return True


def meant_by(wanted: str, versions: Iterable[str], tags: Mapping[str, str]) -> list[str]:
    """Every version that `wanted` means, oldest first: `*` is all of them, prereleases too; a range is all that fit it."""
    known = sorted(versions, key=sort_key)
    if wanted == EVERY:
        return known
    if wanted in known:
        return [wanted]
    if wanted in tags:
        return [tags[wanted]] if tags[wanted] in known else []
    return _fitting(wanted, known)


def picked(wanted: str, versions: Iterable[str], tags: Mapping[str, str]) -> str | None:
    """The one version an install of `wanted` takes."""
    known = list(versions)
    latest = tags.get("latest") or newest(known)
    if wanted.strip() in {"", EVERY, "latest"}:
        return latest if latest in known else newest(known)
    found = meant_by(wanted.strip(), known, tags)
    if latest in found:
        return latest
    return found[-1] if found else None


def dependencies_of(manifest: Mapping[str, Any]) -> tuple[list[Dependency], list[str]]:
    """What a manifest needs from registries, and the names of what comes from elsewhere (addresses, folders, Git).

    What is bundled comes in the tarball. A package in two groups is optional if it stands among the optional ones, as for npm.
    """
    seen = set(_bundled(manifest))
    needed: list[Dependency] = []
    elsewhere: list[str] = []
    for group in GROUPS:
        for name, wanted in _pairs(manifest.get(group)):
            if name in seen:
                continue
            seen.add(name)
            found = _dependency(name, wanted, is_optional=_is_optional(manifest, group, name))
            if found is None:
                elsewhere.append(name[:214])
            else:
                needed.append(found)
    return needed[:PER_VERSION], elsewhere[:PER_VERSION]


def tags_that_follow(moved: Iterable[str], tags: Mapping[str, str], latest: str | None) -> dict[str, str]:
    """The tags to set where `moved` versions arrive, by name: those that point at one of them whence they come.

    And `latest`, if none of them has it, for the highest: where there is none yet; or a release higher than `latest`, the
    version it points at now, and not beyond the one it points at whence they come. So it goes back only with its version.
    """
    arrived = set(moved)
    following = {tag: version for tag, version in tags.items() if version in arrived}
    highest = newest(arrived)
    if highest is None or "latest" in following:
        return following
    is_release = "-" not in highest.partition("+")[0]
    is_ahead = "latest" in tags and sort_key(highest) > sort_key(tags["latest"])
    if latest is None or (is_release and not is_ahead and sort_key(highest) > sort_key(latest)):
        following["latest"] = highest
    return following


def parking_tag(version: str, tags: Mapping[str, str]) -> str:
    """A tag for a version that shall not become `latest` where every publish sets one: `release-1.x`, or a prerelease's word.

    `tags`: those that are there; none of them is moved back.
    """
    core, _, rest = version.partition("+")[0].partition("-")
    word = rest.partition(".")[0]
    usual = f"release-{core.partition('.')[0]}.x"
    if rest:
        usual = word if word.isalpha() and word.isascii() and word.lower() not in {"x", "v", "latest"} else "prerelease"
    present = tags.get(usual)
    return usual if present is None or sort_key(present) < sort_key(version) else f"release-{version.partition('+')[0]}"[:128]


def _fitting(wanted: str, known: Iterable[str]) -> list[str]:
    found = _range(wanted)
    return [version for version in known if is_version(version) and found.test(version)] if found is not None else []


def _range(text: str) -> Any:
    """The range as node-semver reads it, None for a text that is none."""
    try:
        return nodesemver.make_range(text, loose=True) if len(text) <= LENGTH else None
    except ValueError:
        return None


def _dependency(name: str, wanted: str, *, is_optional: bool) -> Dependency | None:
    """A dependency on a registry's package; None for one that is none."""
    if wanted.startswith(ALIAS):
        target, at, wanted = wanted.removeprefix(ALIAS).rpartition("@")
        name, wanted = (target, wanted) if at and target else (f"{at}{wanted}" if at else wanted, EVERY)
    if any(char in wanted for char in ":/") or len(wanted) > LENGTH:
        return None
    try:
        return Dependency(parse_known(name), wanted, is_optional)
    except NameInvalid:
        return None


def _is_optional(manifest: Mapping[str, Any], group: str, name: str) -> bool:
    if group == "peerDependencies":
        meta = manifest.get("peerDependenciesMeta")
        entry = meta.get(name) if isinstance(meta, dict) else None
        return isinstance(entry, dict) and entry.get("optional") is True
    return group == "optionalDependencies"


def _bundled(manifest: Mapping[str, Any]) -> list[str]:
    listed = manifest.get("bundleDependencies", manifest.get("bundledDependencies"))
    if listed is True:  # all of its dependencies
        return [name for name, _ in _pairs(manifest.get("dependencies"))]
    return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []


def _pairs(group: object) -> Iterator[tuple[str, str]]:
    for name, wanted in group.items() if isinstance(group, dict) else ():
        if isinstance(wanted, str):
            yield name, wanted
