"""A module's file in the index: a line of JSON for each version. Pure.

`{"name","version","deps":{"u/p":"1.2.3"},"checksum":"<SHA-256 of the zip, in hex>",…,"created_at","yanked"?}`; a line
that is none of this is skipped, as the client skips it, and counted.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from packages.formats.errors import DocumentInvalid, NameInvalid
from packages.formats.moonbit.names import Name, parse_name
from packages.formats.moonbit.versions import is_version, sort_key

FILE_LIMIT = 32 * 1024 * 1024  # bytes of one module's file
LINE_LIMIT = 1024 * 1024  # bytes of one line
LINES = 20_000
DEPTH_LIMIT = 64  # objects and lists inside each other, in one line
CHECKSUM = re.compile(r"[0-9a-fA-F]{64}")
OURS = frozenset({"name", "version", "checksum", "yanked"})  # what we say ourselves of a version we serve


@dataclass(frozen=True)
class Entry:
    """A version as an index lists it. `manifest` is the whole line."""

    version: str
    checksum: str  # SHA-256 of the zip in lower-case hex
    is_yanked: bool = False
    dependencies: Mapping[str, str] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def integrity(self) -> str:
        """The checksum as SRI has it."""
        return "sha256-" + base64.b64encode(bytes.fromhex(self.checksum)).decode("ascii")


@dataclass(frozen=True)
class Index:
    """What an index has of one module; `skipped` lines were not understood."""

    entries: tuple[Entry, ...] = ()
    skipped: int = 0

    def entry(self, version: str) -> Entry | None:
        """That version."""
        return next((entry for entry in self.entries if entry.version == version), None)


def parse_index(data: bytes, name: Name) -> Index:
    """The versions of `name`, each number once (the first line counts). Raises DocumentInvalid for a file beyond all bounds."""
    if len(data) > FILE_LIMIT or data.count(b"\n") > LINES:
        raise DocumentInvalid(f"The index lists more of {name.full} than is read: {FILE_LIMIT:,} bytes, {LINES:,} lines.")
    found: dict[str, Entry] = {}
    skipped = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        entry = _entry(line, name)
        if entry is None or entry.version in found:
            skipped += 1
        else:
            found[entry.version] = entry
    return Index(tuple(sorted(found.values(), key=lambda entry: sort_key(entry.version))), skipped)


def _entry(line: bytes, name: Name) -> Entry | None:
    """One line, if it is a version of this module."""
    if len(line) > LINE_LIMIT or b"\\u0000" in line or _is_deep(line):
        return None
    try:
        data = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(data, dict) or data.get("name") != name.full or not is_version(data.get("version")):
        return None
    checksum = data.get("checksum")
    if not isinstance(checksum, str) or not CHECKSUM.fullmatch(checksum):
        return None
    return Entry(data["version"], checksum.lower(), data.get("yanked") is True, _dependencies(data.get("deps")), data)


def _is_deep(line: bytes) -> bool:
    """Whether it may nest too deeply to be written again."""
    return line.count(b"{") + line.count(b"[") > DEPTH_LIMIT and _nesting(line) > DEPTH_LIMIT


def _nesting(line: bytes) -> int:
    """How deep brackets stand inside each other; those in strings count too, which errs on the safe side."""
    deepest = depth = 0
    for byte in line:
        depth += (byte in b"{[") - (byte in b"}]")
        deepest = max(deepest, depth)
    return deepest


def _dependencies(deps: object) -> dict[str, str]:
    """Name -> least version; a dependency may also be an object with its version in it. What is no module's name is left out."""
    if not isinstance(deps, dict):
        return {}
    said = {name: wanted.get("version") if isinstance(wanted, dict) else wanted for name, wanted in deps.items()}
    return {name: str(version) for name, version in said.items() if is_version(version) and _is_name(name)}


def _is_name(text: object) -> bool:
    try:
        parse_name(text)
    except NameInvalid:
        return False
    return True


def dependencies_of(manifest: bytes) -> dict[str, str]:
    """What a version needs, by its kept line: name -> least version."""
    try:
        kept = orjson.loads(manifest)
    except orjson.JSONDecodeError:
        return {}
    return _dependencies(kept.get("deps")) if isinstance(kept, dict) else {}


def manifest_of(entry: Entry) -> bytes:
    """What we keep of a version: its line without what we say ourselves. JSON."""
    return orjson.dumps({key: value for key, value in entry.manifest.items() if key not in OURS})


def dated(manifest: bytes, created_at: str) -> bytes:
    """What is kept of a version, with the time it came into being: so its line stays what it was, wherever the version goes."""
    kept = orjson.loads(manifest)
    if not isinstance(kept, dict) or isinstance(kept.get("created_at"), str):
        return manifest
    return orjson.dumps({**kept, "created_at": created_at})


@dataclass(frozen=True, kw_only=True)
class Held:
    """A version that is held here, as its line is rendered from it."""

    version: str
    manifest: bytes
    checksum: str
    is_yanked: bool
    created_at: str


def render_index(name: Name, versions: Iterable[Held]) -> bytes:
    """The module's file as we serve it: a line for each version, in order."""
    ordered = sorted(versions, key=lambda held: sort_key(held.version))
    return b"".join(orjson.dumps(dict(_line(name, held))) + b"\n" for held in ordered)


def _line(name: Name, held: Held) -> Iterator[tuple[str, Any]]:
    kept = orjson.loads(held.manifest)
    said = {key: value for key, value in kept.items() if key not in OURS} if isinstance(kept, dict) else {}
    yield "name", name.full
    yield "version", held.version
    yield "deps", said.pop("deps", {})
    created_at = said.pop("created_at", None)
    yield from said.items()
    yield "checksum", held.checksum
    if held.is_yanked:
        yield "yanked", True
    yield "created_at", created_at if isinstance(created_at, str) else held.created_at
