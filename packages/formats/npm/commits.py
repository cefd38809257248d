"""Versions and tags of a package that comes from a Git repository. Pure.

`0.0.0-git.{time of the commit}.{commit}` for the head of a branch, the branch as a dist-tag, `latest` for the default
branch; tags `v1.2.0`, `1.2.0` and, of one package among several, `name@1.2.0` as the versions they name.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from packages.formats.errors import TagInvalid
from packages.formats.npm.names import Name
from packages.formats.npm.versions import check_tag, is_version

ABBREVIATED = 12  # hex digits of a commit in a version
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a package lies: in which commit, in which folder ('' is the top).

    `is_own`: the tag that names it is of this package alone, and its siblings there have numbers of their own.
    """

    commit: str
    folder: str
    is_own: bool = False


@dataclass(frozen=True, kw_only=True)
class Head:
    """A branch with its newest commit."""

    branch: str
    commit: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    """What a repository has of a name: versions with their places, and tags."""

    versions: Mapping[str, Place]
    tags: Mapping[str, str]


def number_of(commit: str, stamp: str) -> str:
    """The version of a branch's head: `stamp` is the commit's time in UTC as YYYYMMDDHHMMSS, so that later ones sort higher.

    As many digits of the commit as make it no number: SemVer allows none with a leading zero.
    """
    length = next((length for length in range(ABBREVIATED, len(commit) + 1) if not commit[:length].isdigit()), 0)
    short = commit[:length] or f"g{commit[:ABBREVIATED]}"
    return f"0.0.0-git.{stamp.lstrip('0') or '0'}.{short}"


def release_of(tag: str, name: Name) -> tuple[int, str] | None:
    """The version a tag names for this package, and how closely (0 closest); None for one that names none."""
    own = tag.removeprefix(f"{name.full}@")
    for rank, text in enumerate((own if own != tag else "", tag, tag.removeprefix("v"))):
        if text and is_version(text) and "+" not in text:
            return rank, text
    return None


def tag_of(branch: str) -> str | None:
    """The dist-tag of a branch: its name with what npm forbids as dashes; None where nothing is left."""
    plain = re.sub(r"[^A-Za-z0-9._~+-]+", "-", branch)[:100].strip("-")
    for candidate in (plain, f"branch-{plain}") if plain else ():
        if candidate == LATEST:
            continue
        try:
            return check_tag(candidate)
        except TagInvalid:
            continue
    return None


def listed(name: Name, heads: Iterable[Head], tags: Mapping[str, str], places: Mapping[str, Place], stamps: Mapping[str, str]) -> Listed:
    """What there is of `name`. `heads`: the default branch first; `tags`: commits by tag; `places` of the name and `stamps` by commit."""
    versions: dict[str, Place] = {}
    named: dict[str, str] = {}
    for head in heads:
        place = places.get(head.commit)
        if place is None:
            continue
        version = number_of(head.commit, stamps.get(head.commit, ""))
        versions[version] = place
        named.setdefault(LATEST, version)
        if (tag := tag_of(head.branch)) is not None:
            named.setdefault(tag, version)
    for rank, version, commit in sorted(_releases(name, tags), reverse=True):  # the closest spelling last: it counts
        if commit in places:
            versions[version] = replace(places[commit], is_own=rank == 0)
    return Listed(versions=versions, tags=named)


def _releases(name: Name, tags: Mapping[str, str]) -> Iterator[tuple[int, str, str]]:
    for tag, commit in tags.items():
        if (found := release_of(tag, name)) is not None:
            yield (*found, commit)
