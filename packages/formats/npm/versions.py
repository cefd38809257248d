"""npm versions and tags: strict SemVer 2.0.0 with npm's limits; order by node-semver. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache

from packages.formats.errors import TagInvalid, VersionInvalid

LENGTH = 256
MAX_SAFE = 2**53 - 1
# The grammar of semver.org, section "Is there a suggested regular expression", linear in its input.
STRICT = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?",
    re.ASCII,
)
# What most versions are: three numbers of which each is certainly below MAX_SAFE, perhaps with a prerelease.
PLAIN = re.compile(
    r"(?:0|[1-9][0-9]{0,14})(?:\.(?:0|[1-9][0-9]{0,14})){2}"
    r"(?:-(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
)
TAG = re.compile(r"[A-Za-z][A-Za-z0-9._~+-]{0,127}")
LOOSE = re.compile(r"\A[\s=v]+")
FORBIDDEN_TAGS = frozenset({"__proto__", "constructor", "prototype", "hasOwnProperty"})
RANGE_LIKE = re.compile(r"v?\d+(\.\d+){0,2}|x|X")


def check_version(text: object) -> str:
    """The version itself. Raises VersionInvalid."""
    if not is_version(text):
        shown = text[:80] if isinstance(text, str) else text
        raise VersionInvalid(f"{shown!r} is not a version like 1.2.3 (SemVer 2.0.0).", fields={"version": "not semver"})
    return str(text)


def is_version(text: object) -> bool:
    """Whether `text` is strict SemVer within npm's limits."""
    if not isinstance(text, str) or len(text) > LENGTH:
        return False
    if PLAIN.fullmatch(text):
        return True
    found = STRICT.fullmatch(text)
    return found is not None and all(int(number) <= MAX_SAFE for number in found.groups()[:3])


def is_same(said: object, version: str) -> bool:
    """Whether a manifest says this very version, in the loose spelling of old ones too: `v1.0.0`, `= 1.0.0`.

    As node-semver's clean() reads it: what stands before the number is dropped (npm 12, normalize-package-data).
    """
    return said == version or (isinstance(said, str) and len(said) <= LENGTH and LOOSE.sub("", said).rstrip() == version)


def check_tag(text: object) -> str:
    """A dist-tag: a word that is no version and no range. Raises TagInvalid."""
    if not isinstance(text, str) or not TAG.fullmatch(text) or text in FORBIDDEN_TAGS or RANGE_LIKE.fullmatch(text):
        shown = text[:80] if isinstance(text, str) else text
        raise TagInvalid(f"{shown!r} is not a tag: a word of at most 128 characters that is no version range.", fields={"tag": "grammar"})
    return text


@lru_cache(maxsize=65536)
def sort_key(version: str) -> tuple[object, ...]:
    """A key that orders valid versions as SemVer section 11 does (build metadata as last tie-break)."""
    found = STRICT.fullmatch(version)
    if found is None:
        return (0, 0, 0, 0, (), version)
    major, minor, patch, pre, build = found.groups()
    numbers = (int(major), int(minor), int(patch))
    if pre is None:
        return (*numbers, 1, (), build or "")
    parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split("."))
    return (*numbers, 0, parts, build or "")


def newest(versions: Iterable[str]) -> str | None:
    """The version `latest` falls back to: the highest release, else the highest prerelease, else None."""
    known = [version for version in versions if is_version(version)]
    releases = [version for version in known if "-" not in version.partition("+")[0]]
    return max(releases or known, key=sort_key, default=None)
