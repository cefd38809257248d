"""Which versions words mean, and what a version depends on, as npm reads both (npm-package-arg, npm-pick-manifest). Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from nodesemver import make_range

from packages.formats.errors import NameInvalid
from packages.formats.npm.names import parse_known
from packages.formats.npm.versions import is_version, newest, sort_key

RANGE_LENGTH = 256  # characters
OPTIONAL = "optionalDependencies"
NEEDED = ("dependencies", OPTIONAL, "peerDependencies")
ELSEWHERE = re.compile(r"[/:]")  # a file, a repository, an address: nothing of a registry
ALIAS = re.compile(r"npm:(@[^/@]+/[^@]+|[^@]+)(?:@(.*))?", re.DOTALL)


class Need(NamedTuple):
    """What is installed along with a version. `is_optional`: an install goes on without it where it does not exist."""

    name: str
    words: str
    is_optional: bool = False


def within(versions: Iterable[str], tags: Mapping[str, str], words: str) -> list[str]:
    """The versions that `words` (a version, range or tag; '' is all) mean, in order."""
    known = [version for version in versions if is_version(version)]
    if words in known:
        return [words]
    if words in tags:
        return [version for version in known if version == tags[words]]
    if words in {"", "*"}:
        return sorted(known, key=sort_key)
    return sorted(_satisfying(known, words), key=sort_key)


def best(versions: Iterable[str], tags: Mapping[str, str], words: str) -> str | None:
    """The one npm would choose: what `latest` points at if it fits, else the newest that does."""
    fitting = within(versions, tags, "latest" if words in {"", "*"} and "latest" in tags else words)
    return tags["latest"] if tags.get("latest") in fitting else newest(fitting)


def needs(manifest: Mapping[str, Any]) -> Iterator[Need]:
    """Names and ranges of what is installed along with a version, as far as a registry has it.

    Many manifests name an optional dependency among the others as well: it is optional all the same, as npm takes it.
    """
    bundled = manifest.get("bundleDependencies", manifest.get("bundledDependencies"))
    inside = frozenset(one for one in bundled if isinstance(one, str)) if isinstance(bundled, list) else frozenset[str]()
    meta = manifest.get("peerDependenciesMeta")
    unasked = {name for name, said in meta.items() if isinstance(said, dict) and said.get("optional")} if isinstance(meta, dict) else set()
    others = manifest.get(OPTIONAL)
    spared = {"dependencies": frozenset(others) if isinstance(others, dict) else frozenset[str](), "peerDependencies": unasked}
    for kind in NEEDED:
        needed = manifest.get(kind)
        for name, words in needed.items() if isinstance(needed, dict) else ():
            is_spared = name in inside or name in spared.get(kind, ())
            if not is_spared and isinstance(words, str) and (found := _needed(name, words.strip())) is not None:
                yield Need(*found, is_optional=kind == OPTIONAL)


def _needed(name: str, words: str) -> tuple[str, str] | None:
    alias = ALIAS.fullmatch(words)
    if alias is not None:
        name, words = alias[1], alias[2] or ""
    if ELSEWHERE.search(words) or len(words) > RANGE_LENGTH:
        return None
    try:
        return parse_known(name).full, words
    except NameInvalid:
        return None


def _satisfying(known: Iterable[str], words: str) -> list[str]:
    if len(words) > RANGE_LENGTH:
        return []
    try:
        wanted = make_range(words, True)
        return [version for version in known if wanted.test(version)]
    except ValueError:
        return []
