"""Which versions of registries a lock file names: npm's, pnpm's and both of yarn's. Pure, and bounded whatever the file is.

Read from the tools' own files: npm 6 to 12 (`lockfileVersion` 1 to 3, also `npm-shrinkwrap.json`), pnpm 5 to 12
(`lockfileVersion` 5 to 9), yarn 1, yarn 2 to 4. What comes from a repository, a file or a workspace is left out.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from packages.formats.errors import LockInvalid, NameInvalid
from packages.formats.npm.names import parse_known
from packages.formats.npm.trees import Tree, read_trees
from packages.formats.npm.versions import is_version

LENGTH = 16 * 1024 * 1024  # bytes of a file
ENTRIES = 50_000
PIECES = 2_000_000  # commas and brackets of a JSON file: bounds what it takes in memory
NESTED = 64  # dependencies within dependencies (npm's first format)
REPOSITORY = re.compile(r"(?:git|github|gitlab|bitbucket|gist|file|link|workspace)[+:]|https?://[^?]*/(?:archive|tarball|tar\.gz)/")
MODULES = "node_modules/"
PNPM_OLD = re.compile(r"(?:/|[^/@]+/)(@[^/]+/[^/]+|[^/@]+)/([^/_(]+)")  # /name/1.0.0_peer, registry.example.org/name/1.0.0
PNPM = re.compile(r"/?(@[^/@]+/[^/@]+|[^/@]+)@([^(]+)")  # name@1.0.0(peer@2.0.0)
YARN_HEAD = re.compile(r'"?(@?[^@"]+)@([^"]*?)"?(?:,|:$)')
YARN_WORD = re.compile(r'  (version|resolved) "([^"]*)"')
BERRY = re.compile(r"(@?[^@]+)@npm:([^:]+)(?:::.*)?")

Pair = tuple[str, str]


def read_lock(data: bytes) -> list[Pair]:
    """(name, version) of everything a registry has, each once, in order. Raises LockInvalid."""
    if len(data) > LENGTH:
        raise LockInvalid(f"A lock file has at most {LENGTH // 1024 // 1024} MiB.", fields={"lock": "length"})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LockInvalid("The lock file is not UTF-8.", fields={"lock": "encoding"}) from None
    found = sorted({pair for pair in _pairs(text) if _is_known(*pair)})
    if len(found) > ENTRIES:
        raise LockInvalid(f"A lock file names at most {ENTRIES:,} versions.", fields={"lock": "length"})
    if not found:
        raise LockInvalid("The lock file names no version that a registry would have.", fields={"lock": "empty"})
    return found


def _pairs(text: str) -> Iterable[Pair]:
    """By what the file looks like: people rename lock files."""
    start = text.lstrip()
    if start.startswith("{"):
        return _npm(text)
    if "# yarn lockfile v1" in start[:500]:
        return _yarn(text)
    return _yaml(text)


def _npm(text: str) -> Iterator[Pair]:
    if text.count("{") + text.count(",") > PIECES:
        raise LockInvalid("The lock file has too many pieces.", fields={"lock": "length"})
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise LockInvalid("The lock file is not JSON, or nests too deeply.", fields={"lock": "grammar"}) from None
    packages, dependencies = document.get("packages"), document.get("dependencies")
    if isinstance(packages, dict):
        return _npm_packages(packages)
    if isinstance(dependencies, dict):
        return _npm_dependencies(dependencies)
    raise LockInvalid("The file is JSON but no lock file: it has neither `packages` nor `dependencies`.", fields={"lock": "grammar"})


def _npm_packages(packages: Mapping[str, Any]) -> Iterator[Pair]:
    for place, entry in packages.items():
        if MODULES not in place or not isinstance(entry, dict) or entry.get("link") or entry.get("inBundle"):
            continue
        if not _is_elsewhere(entry.get("resolved")):
            yield entry.get("name") or place.rpartition(MODULES)[2], entry.get("version") or ""


def _npm_dependencies(top: Mapping[str, Any]) -> Iterator[Pair]:
    """The first format: dependencies within dependencies; an alias stands in the version."""
    waiting = [(top, 0)]
    while waiting:
        dependencies, depth = waiting.pop()
        for name, entry in dependencies.items():
            if not isinstance(entry, dict) or entry.get("bundled"):
                continue
            version, inner = entry.get("version"), entry.get("dependencies")
            if isinstance(version, str) and not _is_elsewhere(entry.get("resolved")):
                alias = version.removeprefix("npm:") if version.startswith("npm:") else f"{name}@{version}"
                real, _, number = alias.rpartition("@")
                yield real, number
            if isinstance(inner, dict) and depth < NESTED:
                waiting.append((inner, depth + 1))


def _yarn(text: str) -> Iterator[Pair]:
    """Blocks: what was asked for, then indented what it became."""
    name, said = "", dict[str, str]()
    for line in [*text.splitlines(), "end"]:
        if line[:1] not in {"", " ", "#"}:
            if name and said.get("resolved") and not _is_elsewhere(said["resolved"]):
                yield name, said.get("version", "")
            name, said = _yarn_name(line), {}
        elif (word := YARN_WORD.fullmatch(line)) is not None:
            said[word[1]] = word[2]


def _yarn_name(line: str) -> str:
    found = YARN_HEAD.match(line)
    if found is None:
        return ""
    name, words = found[1], found[2]
    return words.removeprefix("npm:").rpartition("@")[0] if words.startswith("npm:") else name


def _yaml(text: str) -> Iterator[Pair]:
    """pnpm's, whose `packages` are keyed by name and version, or yarn's, whose entries have a `resolution`."""
    is_known = False
    for tree in read_trees(text):
        if not isinstance(tree, dict):
            continue
        is_known = is_known or "lockfileVersion" in tree or "__metadata" in tree
        packages = tree.get("packages")
        if "lockfileVersion" in tree and isinstance(packages, dict):
            yield from _pnpm(packages)
        elif "__metadata" in tree:
            yield from _berry(tree)
    if not is_known:
        raise LockInvalid("This is none of the lock files that are known: npm's, pnpm's or yarn's.", fields={"lock": "grammar"})


def _pnpm(packages: Mapping[str, Tree]) -> Iterator[Pair]:
    for key, entry in packages.items():
        resolution = entry.get("resolution") if isinstance(entry, dict) else None
        tarball = resolution.get("tarball") if isinstance(resolution, dict) else None
        found = PNPM.match(key) or PNPM_OLD.match(key)
        if found is not None and not _is_elsewhere(tarball):
            yield found[1], found[2]


def _berry(tree: Mapping[str, Tree]) -> Iterator[Pair]:
    for entry in tree.values():
        resolution = entry.get("resolution") if isinstance(entry, dict) else None
        found = BERRY.fullmatch(resolution) if isinstance(resolution, str) else None
        if found is not None:
            yield found[1], found[2]


def _is_elsewhere(address: object) -> bool:
    return isinstance(address, str) and REPOSITORY.match(address) is not None


def _is_known(name: object, version: object) -> bool:
    try:
        return parse_known(name) is not None and is_version(version)
    except NameInvalid:
        return False
