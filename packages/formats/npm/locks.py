"""Which versions of registries a lock file names: npm's, pnpm's and both of yarn's. Pure, and bounded whatever the file is.

Read from the tools' own files: npm 6 to 12 (`lockfileVersion` 1 to 3, also `npm-shrinkwrap.json`), pnpm 5 to 12
(`lockfileVersion` 5 to 9), yarn 1, yarn 2 to 4. What comes from a repository, a file, a workspace or straight from an address
is left out: its name means nothing to a registry, and may be one that no registry should hear.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import orjson

from packages.formats.errors import LockInvalid, NameInvalid
from packages.formats.npm.names import parse_known
from packages.formats.npm.spared import Entry, descriptor, spared
from packages.formats.npm.trees import Tree, read_trees
from packages.formats.npm.versions import is_version

LENGTH = 16 * 1024 * 1024  # bytes of a file
ENTRIES = 50_000
PIECES = 2_000_000  # commas and brackets of a JSON file: bounds what it takes in memory
NESTED = 64  # dependencies within dependencies (npm's first format)
ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|[^/]*@[^/]*:")  # https://…, git+ssh://…, github:x/y, file:../x, git@host:x
WEB = ("http://", "https://")
DOWNLOAD = re.compile(r".*/download/(@[^/]+/[^/]+)/[^/]+/[0-9a-f]{40,128}")  # a forge's registry: its tarballs have no names
MODULES = "node_modules/"
PNPM_OLD = re.compile(r"(?:/|[^/@]+/)(@[^/]+/[^/]+|[^/@]+)/([^/_(]+)")  # /name/1.0.0_peer, registry.example.org/name/1.0.0
PNPM = re.compile(r"/?(@[^/@]+/[^/@]+|[^/@]+)@([^(]+)")  # name@1.0.0(peer@2.0.0)
YARN_HEAD = re.compile(r'"?(@?[^@"]+)@([^"]*?)"?(?:,|:$)')
YARN_HEADS = re.compile(r'"([^"]+)"|([^",\s][^",]*)')
YARN_WORD = re.compile(r'  (version|resolved) "([^"]*)"')
YARN_GROUP = re.compile(r"  (dependencies|optionalDependencies):")
YARN_NEED = re.compile(r'    "?([^"\s]+)"? "?([^"]*)"?')
BERRY = re.compile(r"(@?[^@]+)@npm:([^:]+)(?:::(.*))?")
ARCHIVE = re.compile(r"(?:^|&)__archiveUrl=([^&]*)")


class Locked(NamedTuple):
    """A version that a lock file names. `is_optional`: an install goes on without it, wherever in the file it stands."""

    name: str
    version: str
    is_optional: bool = False


def read_lock(data: bytes) -> list[Locked]:
    """Everything a registry has, each version once, in order. Raises LockInvalid."""
    if len(data) > LENGTH:
        raise LockInvalid(f"A lock file has at most {LENGTH // 1024 // 1024} MiB.", fields={"lock": "length"})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LockInvalid("The lock file is not UTF-8.", fields={"lock": "encoding"}) from None
    known = dict[tuple[str, str], bool]()
    for name, version, is_optional in _named(text):
        if _is_known(name, version):
            known[name, version] = is_optional and known.get((name, version), True)
    found = [Locked(*pair, is_optional=known[pair]) for pair in sorted(known)]
    if len(found) > ENTRIES:
        raise LockInvalid(f"A lock file names at most {ENTRIES:,} versions.", fields={"lock": "length"})
    if not found:
        raise LockInvalid("The lock file names no version that a registry would have.", fields={"lock": "empty"})
    return found


def _named(text: str) -> Iterable[Locked]:
    """By what the file looks like: people rename lock files."""
    start = text.lstrip()
    if start.startswith("{"):
        return _npm(text)
    if "# yarn lockfile v1" in start[:500]:
        return _yarn(text)
    return _yaml(text)


def _npm(text: str) -> Iterator[Locked]:
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


def _npm_packages(packages: Mapping[str, Any]) -> Iterator[Locked]:
    for place, entry in packages.items():
        if MODULES not in place or not isinstance(entry, dict) or entry.get("link") or entry.get("inBundle"):
            continue
        name = entry.get("name") or place.rpartition(MODULES)[2]
        if not _is_elsewhere(entry.get("resolved"), name):
            yield Locked(name, entry.get("version") or "", entry.get("optional") is True)


def _npm_dependencies(top: Mapping[str, Any]) -> Iterator[Locked]:
    """The first format: dependencies within dependencies; an alias stands in the version."""
    waiting = [(top, 0)]
    while waiting:
        dependencies, depth = waiting.pop()
        for name, entry in dependencies.items():
            if not isinstance(entry, dict) or entry.get("bundled"):
                continue
            version, inner = entry.get("version"), entry.get("dependencies")
            if isinstance(version, str):
                alias = version.removeprefix("npm:") if version.startswith("npm:") else f"{name}@{version}"
                real, _, number = alias.rpartition("@")
                if not _is_elsewhere(entry.get("resolved"), real):
                    yield Locked(real, number, entry.get("optional") is True)
            if isinstance(inner, dict) and depth < NESTED:
                waiting.append((inner, depth + 1))


def _yarn(text: str) -> Iterator[Locked]:
    """Blocks: what was asked for, then indented what it became and what that asks for in turn."""
    blocks = list(_blocks(text))
    optional = spared([_yarn_entry(lines) for lines in blocks])
    for place, lines in enumerate(blocks):
        name, said = _yarn_name(lines[0]), {found[1]: found[2] for line in lines if (found := YARN_WORD.fullmatch(line)) is not None}
        if name and said.get("resolved") and not _is_elsewhere(said["resolved"], name):
            yield Locked(name, said.get("version", ""), place in optional)


def _blocks(text: str) -> Iterator[list[str]]:
    lines = list[str]()
    for line in text.splitlines():
        if line[:1] not in {"", " ", "#"}:
            if lines:
                yield lines
            lines = [line]
        elif lines:
            lines.append(line)
    if lines:
        yield lines


def _yarn_entry(lines: Sequence[str]) -> Entry:
    groups: dict[str, list[str]] = {"dependencies": [], "optionalDependencies": []}
    into = list[str]()
    for line in lines[1:]:
        if (group := YARN_GROUP.fullmatch(line)) is not None:
            into = groups[group[1]]
        elif (need := YARN_NEED.fullmatch(line)) is not None:
            into.append(descriptor(need[1], need[2]))
    heads = [_head(quoted or plain) for quoted, plain in YARN_HEADS.findall(lines[0].rstrip().removesuffix(":"))]
    return Entry(heads, groups["dependencies"], groups["optionalDependencies"])


def _head(words: str) -> str:
    """`name@range` as those who ask for it write it."""
    name, _, wanted = words[1:].partition("@")
    return descriptor(words[:1] + name, wanted)


def _yarn_name(line: str) -> str:
    """The name that was asked for; '' where an address was."""
    found = YARN_HEAD.match(line)
    if found is None:
        return ""
    name, words = found[1], found[2]
    if words.startswith("npm:"):
        return words.removeprefix("npm:").rpartition("@")[0]
    return "" if ":" in words or "/" in words else name


def _yaml(text: str) -> Iterator[Locked]:
    """pnpm's, whose `packages` are keyed by name and version, or yarn's, whose entries have a `resolution`."""
    is_known = False
    for tree in read_trees(text):
        if not isinstance(tree, dict):
            continue
        is_known = is_known or "lockfileVersion" in tree or "__metadata" in tree
        packages = tree.get("packages")
        if "lockfileVersion" in tree and isinstance(packages, dict):
            yield from _pnpm(packages, tree.get("snapshots"))
        elif "__metadata" in tree:
            yield from _berry(tree)
    if not is_known:
        raise LockInvalid("This is none of the lock files that are known: npm's, pnpm's or yarn's.", fields={"lock": "grammar"})


def _pnpm(packages: Mapping[str, Tree], snapshots: Tree) -> Iterator[Locked]:
    optional = _snapshots(snapshots)
    for key, entry in packages.items():
        resolution = entry.get("resolution") if isinstance(entry, dict) else None
        tarball = resolution.get("tarball") if isinstance(resolution, dict) else None
        found = PNPM.match(key) or PNPM_OLD.match(key)
        if found is not None and not _is_elsewhere(tarball, found[1]):
            yield Locked(found[1], found[2], _is_marked(entry) or optional.get(found.groups(), False))


def _snapshots(snapshots: Tree) -> dict[tuple[str | Any, ...], bool]:
    """Which versions are optional with whatever peers they stand: there since the ninth format."""
    optional = dict[tuple[str | Any, ...], bool]()
    for key, entry in snapshots.items() if isinstance(snapshots, dict) else ():
        if (found := PNPM.match(key)) is not None:
            optional[found.groups()] = _is_marked(entry) and optional.get(found.groups(), True)
    return optional


def _is_marked(entry: Tree) -> bool:
    return isinstance(entry, dict) and entry.get("optional") == "true"


def _berry(tree: Mapping[str, Tree]) -> Iterator[Locked]:
    optional = spared([_berry_entry(key, entry) for key, entry in tree.items()])
    for place, entry in enumerate(tree.values()):
        resolution = entry.get("resolution") if isinstance(entry, dict) else None
        found = BERRY.fullmatch(resolution) if isinstance(resolution, str) else None
        archive = ARCHIVE.search(found[3] or "") if found is not None else None
        if found is not None and not _is_elsewhere(unquote(archive[1]) if archive else None, found[1]):
            yield Locked(found[1], found[2], place in optional)


def _berry_entry(key: str, entry: Tree) -> Entry:
    """What is optional among the dependencies stands in `dependenciesMeta`."""
    needs, meta = (entry.get(word) for word in ("dependencies", "dependenciesMeta")) if isinstance(entry, dict) else (None, None)
    marked = {name for name, said in meta.items() if _is_marked(said)} if isinstance(meta, dict) else set()
    asked = [(name, words) for name, words in needs.items() if isinstance(words, str)] if isinstance(needs, dict) else []
    return Entry(
        [_head(words) for words in key.split(", ")],
        [descriptor(name, words) for name, words in asked if name not in marked],
        [descriptor(name, words) for name, words in asked if name in marked],
    )


def _is_elsewhere(address: object, name: object) -> bool:
    """Whether `address` is none that a registry gives a tarball of `name`. None, and a bare file name, tell nothing."""
    if not isinstance(address, str) or ADDRESS.match(address) is None:
        return False
    if not address.startswith(WEB):
        return True
    try:
        path = unquote(urlsplit(address).path)
    except ValueError:
        return True
    download = DOWNLOAD.fullmatch(path)
    return f"/{name}/-/" not in path and (download is None or download[1] != name)


def _is_known(name: object, version: object) -> bool:
    try:
        return parse_known(name) is not None and is_version(version)
    except NameInvalid:
        return False
