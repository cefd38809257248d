"""Which files of a folder `npm pack` packs (npm-packlist 10), told without running anything. Pure.

The folder is a tree of a repository: names and object ids. Links, submodules and names no archive can carry are left
out, as npm leaves out links. `bundleDependencies` count where `node_modules` stands in the tree.
"""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from packages.formats.npm.normalise import inside
from packages.formats.npm.rules import Asked, Rules, lines_of, rules_of

ALWAYS_OUT = (
    ".npmignore", ".gitignore", "**/.git", "**/.svn", "**/.hg", "**/CVS", "**/.git/**", "**/.svn/**", "**/.hg/**", "**/CVS/**",
    "/.lock-wscript", "/.wafpickle-*", "/build/config.gypi", "npm-debug.log", "**/.npmrc", ".*.swp", ".DS_Store",
    "**/.DS_Store/**", "._*", "**/._*/**", "*.orig", "/archived-packages/**",
)  # fmt: skip
ALWAYS_IN = ("!/package.json", "!/readme{,.*[^~$]}", "!/copying{,.*[^~$]}", "!/license{,.*[^~$]}", "!/licence{,.*[^~$]}")
NEVER = ("/.git", "/node_modules", ".npmrc", "/package-lock.json", "/yarn.lock", "/pnpm-lock.yaml", "/bun.lockb")
IGNORE_FILES = (".npmignore", ".gitignore")  # the first there is counts
FILES_LIMIT = 50_000
DEPTH_LIMIT = 100
IGNORE_LIMIT = 256 * 1024  # bytes of an ignore file


class TooManyFiles(ValueError):
    """More files or folders in each other than a package may have."""


class Kind(StrEnum):
    """What a name in a tree stands for."""

    FILE = "file"
    FOLDER = "folder"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name in a tree stands for, and the object behind it."""

    kind: Kind
    oid: str
    is_executable: bool = False


class Tree(Protocol):
    """Trees and small files by their object ids."""

    def entries(self, oid: str) -> Mapping[str, Entry]:
        """The names of a folder that an archive can carry."""
        ...

    def text(self, oid: str, limit: int) -> str:
        """A file's text; what is longer than `limit` bytes counts as empty."""
        ...

    def manifest(self, oid: str) -> Mapping[str, object]:
        """A package.json, {} for one that cannot be read."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A file to be packed: its path in the package, and its object."""

    path: str
    entry: Entry


@dataclass(frozen=True)
class _Level:
    """A folder on the way down: its rules in the order they count, and whether it was named for itself."""

    rules: Sequence[Rules]
    prefix: str
    is_exact: bool = True


def packed_files(tree: Tree, oid: str, package: Mapping[str, object], *, above: Sequence[str] = ()) -> list[Found]:
    """The files npm would pack of the folder `oid` with this package.json, in the order of the archive.

    `above`: texts of the ignore files between a workspace's root and this folder. Raises TooManyFiles.
    """
    extra = [line for text in above for line in lines_of(text)]
    walk = _Walk(tree, package, defaults=(*ALWAYS_OUT, *extra))
    found = {one.path: one for one in walk.package(oid, "")}
    found |= {one.path: one for one in _bundled(tree, oid, package)}
    return sorted(found.values(), key=_order)


def _order(found: Found) -> tuple[str, str, str]:
    """By kind of file, then by name: what is alike lies side by side and compresses better."""
    base = posixpath.basename(found.path)
    return posixpath.splitext(base)[1].lower(), base.lower(), found.path


class _Walk:
    """One package: its folder and what is below, but for packages bundled within."""

    def __init__(self, tree: Tree, package: Mapping[str, object], *, defaults: Sequence[str]) -> None:
        self._tree, self._package = tree, package
        self._defaults = tuple(defaults)
        self._count = 0

    def package(self, oid: str, at: str) -> Iterator[Found]:
        entries = self._tree.entries(oid)
        files = self._package.get("files")
        named, required = self._named(oid, files) if isinstance(files, list) else ((), [])
        rules = [rules_of(self._defaults)] if self._defaults else []
        if isinstance(files, list):
            rules.append(rules_of(("*", *named)))
        elif self._defaults:
            rules.append(self._ignored(entries))
        rules.append(rules_of((*(f"!{file}" for file in reversed(required)), *ALWAYS_IN, *NEVER, *self._entry_points())))
        yield from self._folder(entries, at, [_Level(rules, at)], [file.lstrip("/") for file in required])

    def _entry_points(self) -> Iterator[str]:
        """The files that are always in because the package begins there."""
        for field in ("browser", "main"):
            path = self._package.get(field)
            if isinstance(path, str) and path:
                yield f"!/{path}"
        commands = self._package.get("bin")
        name = self._package.get("name")
        if isinstance(commands, str) and isinstance(name, str):
            commands = {name: commands}
        for path in commands.values() if isinstance(commands, dict) else ():
            if isinstance(path, str) and inside(path):
                yield f"!/{inside(path)}"

    def _named(self, oid: str, files: Sequence[object]) -> tuple[tuple[str, ...], list[str]]:
        """`files`: rules for folders and patterns; and the single files, which are in whatever else is said."""
        rules: list[str] = []
        required: list[str] = []
        for file in files:
            if not isinstance(file, str) or not file:
                continue
            plain = file[1:] if file.startswith("./") else file
            plain = f"{plain}*" if plain.endswith("/*") else plain
            entry = self._at(oid, plain.lstrip("!"))
            if entry is None:
                rules.append(f"!{plain}")
            elif entry.kind is Kind.FILE:
                required.append(plain)
            elif entry.kind is Kind.FOLDER:
                rules += [f"!{plain}", f"!{plain}/**"]
        return tuple(rules), required

    def _at(self, oid: str, path: str) -> Entry | None:
        parts = [part for part in posixpath.normpath(path).split("/") if part not in {"", "."}]
        found: Entry | None = Entry(Kind.FOLDER, oid)
        for part in parts:
            found = self._tree.entries(found.oid).get(part) if found is not None and found.kind is Kind.FOLDER else None
        return found

    def _ignored(self, entries: Mapping[str, Entry]) -> Rules:
        """The folder's own ignore file: npm's, else Git's."""
        for name in IGNORE_FILES:
            entry = entries.get(name)
            if entry is not None and entry.kind is Kind.FILE:
                return rules_of(lines_of(self._tree.text(entry.oid, IGNORE_LIMIT)))
        return rules_of(())

    def _folder(self, entries: Mapping[str, Entry], at: str, levels: Sequence[_Level], required: Sequence[str]) -> Iterator[Found]:
        if len(levels) > DEPTH_LIMIT:
            raise TooManyFiles(f"It has more than {DEPTH_LIMIT} folders in each other.")
        for name, entry in entries.items():
            path = f"{at}{name}"
            if entry.kind is Kind.OTHER or "*" in name:
                continue
            if entry.kind is Kind.FILE:
                if self._passes(levels, path, Asked.FILE):
                    self._count += 1
                    if self._count > FILES_LIMIT:
                        raise TooManyFiles(f"It has more than {FILES_LIMIT:,} files.")
                    yield Found(path, entry)
            elif self._passes(levels, path, Asked.FOLDER):
                yield from self._below(name, entry, path, levels, required)

    def _below(self, name: str, entry: Entry, path: str, levels: Sequence[_Level], required: Sequence[str]) -> Iterator[Found]:
        entries = self._tree.entries(entry.oid)
        within = [file[len(name) + 1 :] for file in required if posixpath.dirname(file) == name]
        strict = rules_of(("/.git", *(f"!{file}" for file in within)))
        rules = [rules_of(ALWAYS_OUT), self._ignored(entries), strict]
        exact = self._passes(levels, path, Asked.NAMED)
        yield from self._folder(entries, f"{path}/", [*levels, _Level(rules, f"{path}/", exact)], within)

    @staticmethod
    def _passes(levels: Sequence[_Level], path: str, asked: Asked) -> bool:
        """From the package's folder down each level has its say; what is left out stays out, unless the folder was named itself."""
        included = True
        for level in levels:
            if not included and not level.is_exact:
                return False
            relative = path[len(level.prefix) :]
            for rules in level.rules:
                included = rules.judge(relative, asked, included=included)
        return included


def _bundled(tree: Tree, oid: str, package: Mapping[str, object]) -> Iterator[Found]:
    """The bundled dependencies below node_modules, and what those need, each packed by its own package.json."""
    bundle = package.get("bundleDependencies", package.get("bundledDependencies"))
    if bundle is True:
        bundle = list(_keys(package, "dependencies"))
    waiting = [("", name) for name in bundle if isinstance(name, str)] if isinstance(bundle, list) else []
    seen: set[str] = set()
    while waiting:
        place, name = waiting.pop()
        found = _installed(tree, oid, place, name)
        if found is None or found[0] in seen:
            continue
        at, entry = found
        seen.add(at)
        manifest = tree.entries(entry.oid).get("package.json")
        inner = tree.manifest(manifest.oid) if manifest is not None and manifest.kind is Kind.FILE else {}
        yield from _Walk(tree, inner, defaults=()).package(entry.oid, f"{at}/")
        waiting += [(at, other) for other in (*_keys(inner, "dependencies"), *_keys(inner, "optionalDependencies"))]


def _installed(tree: Tree, oid: str, place: str, name: str) -> tuple[str, Entry] | None:
    """Where `name` lies for whoever stands at `place`: below its own node_modules, or further up."""
    parts = place.split("/node_modules/") if place else []
    for length in range(len(parts), -1, -1):
        base = "/node_modules/".join(parts[:length])
        path = posixpath.normpath(f"{base}/node_modules/{name}".lstrip("/"))
        if not path.startswith(f"{base}/node_modules/".lstrip("/")):
            return None
        entry: Entry | None = Entry(Kind.FOLDER, oid)
        for part in path.split("/"):
            entry = tree.entries(entry.oid).get(part) if entry is not None and entry.kind is Kind.FOLDER else None
        if entry is not None and entry.kind is Kind.FOLDER:
            return path, entry
    return None


def _keys(package: Mapping[str, object], field: str) -> list[str]:
    found = package.get(field)
    return [key for key in found if isinstance(key, str)] if isinstance(found, dict) else []
