"""Looking into a package's tarball without unpacking it: gzip and tar read as a stream, within hard limits. Pure.

Our own reader of tar headers (POSIX.1-2001 pax, ustar and GNU long names), because a hostile archive must not make us
hold a header of its choice in memory, and because what a lenient reader skips silently another one installs.
Memory is bounded by one piece of output and one header; nothing is ever written to disk.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson

from packages.formats.errors import ContentInvalid

PIECE = 256 * 1024
BLOCK = 512
UNPACKED_LIMIT = 1024 * 1024 * 1024  # above the limit of a tarball itself, so that incompressible ones pass
RATIO_FROM = 16 * 1024 * 1024  # up to here any ratio is harmless
RATIO_LIMIT = 200  # text packs 3 to 20 times, tables of data seldom 100; zeros 1,000 times
ENTRIES_LIMIT = 50_000  # the largest icon packages in use have about 32,000 files
PATH_LIMIT = 4096  # bytes of an entry's name
HEADER_LIMIT = 256 * 1024  # a pax header or a GNU long name
PACKAGE_JSON_LIMIT = 2 * 1024 * 1024
PACKAGE_JSON = "package.json"
DRIVE = re.compile(r"[A-Za-z]:")
FILES = frozenset({b"0", b"\0", b"7"})
DIRECTORY = b"5"
LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL = b"L", b"K", b"x", b"g"
KINDS = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a pipe"}


@dataclass(frozen=True, kw_only=True)
class Inspected:
    """What a tarball holds: its package.json, how many files, their bytes, and whether npm would build it."""

    package: dict[str, object]
    file_count: int
    unpacked_size: int
    has_binding_gyp: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry's header."""

    name: str
    kind: bytes
    size: int


def inspect(path: Path) -> Inspected:
    """Read the staged tarball once. Raises ContentInvalid naming the entry at fault."""
    with path.open("rb") as file:
        return _Reader(Unzipped(file)).read()


class Unzipped:
    """The bytes of one gzip member, in pieces, within the limits of size and ratio."""

    def __init__(self, file: IO[bytes]) -> None:
        self._pieces = self._inflate(file)
        self._buffer = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        parts: list[bytes] = []
        while size > 0 and self._fill():
            part = self._buffer[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, size: int) -> int:
        """Pass over `size` bytes; returns how many there were."""
        left = size
        while left > 0 and self._fill():
            step = min(left, len(self._buffer) - self._at)
            self._at += step
            left -= step
        return size - left

    def _fill(self) -> bool:
        if self._at < len(self._buffer):
            return True
        self._buffer, self._at = next(self._pieces, b""), 0
        return bool(self._buffer)

    def _inflate(self, file: IO[bytes]) -> Iterator[bytes]:
        inflater = zlib.decompressobj(wbits=31)
        read = given = 0
        while not inflater.eof:
            packed = inflater.unconsumed_tail or file.read(PIECE)
            if not packed:
                raise ContentInvalid("The tarball is cut off: its gzip stream does not end.")
            read = file.tell()
            try:
                piece = inflater.decompress(packed, PIECE)
            except zlib.error:
                raise ContentInvalid("The tarball is not gzip, or damaged.") from None
            given += len(piece)
            _check_size(given, read)
            if piece:
                yield piece
        if inflater.unused_data or file.read(1):
            raise ContentInvalid("The tarball has bytes after the end of its gzip stream.")


def _check_size(given: int, read: int) -> None:
    if given > UNPACKED_LIMIT:
        raise ContentInvalid(f"The tarball unpacks to more than {UNPACKED_LIMIT // 1024**2} MiB.")
    if given > RATIO_FROM and given > read * RATIO_LIMIT:
        raise ContentInvalid(f"The tarball unpacks to more than {RATIO_LIMIT} times its size.")


class _Reader:
    """One pass over the entries."""

    def __init__(self, source: Unzipped) -> None:
        self._source = source
        self._package: dict[str, object] | None = None
        self._files = self._bytes = self._entries = 0
        self._gyp = False
        self._pax: dict[str, str] = {}
        self._long_name: str | None = None

    def read(self) -> Inspected:
        """All entries. Raises ContentInvalid."""
        while (header := self._header()) is not None:
            self._entries += 1
            if self._entries > ENTRIES_LIMIT:
                raise ContentInvalid(f"The tarball has more than {ENTRIES_LIMIT:,} entries.")
            self._take(_entry(header))
        if self._package is None:
            raise ContentInvalid("The tarball has no package.json in its top folder.")
        return Inspected(package=self._package, file_count=self._files, unpacked_size=self._bytes, has_binding_gyp=self._gyp)

    def _header(self) -> bytes | None:
        """The next header block; None after the end mark (two empty blocks) or at a clean end."""
        block = self._source.read(BLOCK)
        if not block:
            return None
        if len(block) < BLOCK:
            raise ContentInvalid("The tarball is cut off in a header.")
        if any(block):
            return block
        while rest := self._source.read(PIECE):
            if any(rest):
                raise ContentInvalid("The tarball has data after its end mark.")
        return None

    def _take(self, entry: Entry) -> None:
        if entry.kind in {LONG_NAME, LONG_LINK, PAX, PAX_GLOBAL}:
            self._take_extension(entry)
            return
        entry = self._resolved(entry)
        _check_entry(entry)
        if entry.kind in FILES and not entry.name.endswith("/"):
            self._files += 1
            self._bytes += entry.size
        if _is_top(entry.name, "binding.gyp"):
            self._gyp = True
        if _is_top(entry.name, PACKAGE_JSON):
            self._take_package(entry)
        else:
            self._pass(entry)

    def _take_extension(self, entry: Entry) -> None:
        """A pax header or a GNU long name: belongs to the entry that follows."""
        if entry.size > HEADER_LIMIT:
            raise ContentInvalid(f"The tarball has a header of {entry.size:,} bytes.")
        data = self._whole(entry)
        if entry.kind == PAX:
            self._pax = _pax(data)
        elif entry.kind == LONG_NAME:
            self._long_name = _text(data.split(b"\0", 1)[0])
        elif entry.kind == PAX_GLOBAL and _pax(data).keys() & {"path", "size", "linkpath"}:
            raise ContentInvalid("The tarball sets one name or size for all its entries.")

    def _resolved(self, entry: Entry) -> Entry:
        """The entry with what the extensions before it said."""
        pax, long_name = self._pax, self._long_name
        self._pax, self._long_name = {}, None
        if any(key.startswith("GNU.sparse") for key in pax):
            raise ContentInvalid(f"The entry {entry.name[:200]!r} is a sparse file.")
        size = pax.get("size")
        if size is not None and not re.fullmatch(r"[0-9]{1,15}", size):
            raise ContentInvalid(f"The entry {entry.name[:200]!r} has an impossible size.")
        name = pax.get("path") or long_name or entry.name
        return Entry(name, entry.kind, entry.size if size is None else int(size))

    def _take_package(self, entry: Entry) -> None:
        if self._package is not None:
            raise ContentInvalid(f"The tarball has a second package.json: {entry.name[:200]!r}.")
        if entry.kind not in FILES:
            raise ContentInvalid(f"The entry {entry.name[:200]!r} is not a file.")
        if entry.size > PACKAGE_JSON_LIMIT:
            raise ContentInvalid(f"The entry {entry.name[:200]!r} is larger than {PACKAGE_JSON_LIMIT // 1024**2} MiB.")
        self._package = _package_json(self._whole(entry))

    def _whole(self, entry: Entry) -> bytes:
        """The entry's content; only for entries known to be small."""
        data, padding = self._source.read(entry.size), -entry.size % BLOCK
        if len(data) != entry.size or self._source.skip(padding) != padding:
            raise _cut_off(entry)
        return data

    def _pass(self, entry: Entry) -> None:
        """Go past the entry's content."""
        size = entry.size + -entry.size % BLOCK
        if self._source.skip(size) != size:
            raise _cut_off(entry)


def _cut_off(entry: Entry) -> ContentInvalid:
    return ContentInvalid(f"The tarball is cut off in the entry {entry.name[:200]!r}.")


def _entry(block: bytes) -> Entry:
    """A header block (POSIX ustar; GNU differs in `prefix`). Raises ContentInvalid."""
    name = _text(block[:100].split(b"\0", 1)[0])
    if block[257:263] == b"ustar\0":
        prefix = _text(block[345:500].split(b"\0", 1)[0])
        name = f"{prefix}/{name}" if prefix else name
    expected = sum(block) - sum(block[148:156]) + 8 * 0x20
    if _number(block[148:156], name) != expected:
        raise ContentInvalid(f"The header of the entry {name[:200]!r} is damaged, or this is no tar archive.")
    return Entry(name, block[156:157], _number(block[124:136], name))


def _number(field: bytes, name: str) -> int:
    """A number of a header: octal, or base-256 of GNU, which may be negative and is then refused."""
    if field[0] & 0x80:
        if field[0] != 0x80:  # noqa: PLR2004 - 0xFF marks a negative number, other bits an absurd one
            raise ContentInvalid(f"The entry {name[:200]!r} has an impossible size.")
        value = int.from_bytes(field[1:], "big")
    else:
        digits = field.replace(b"\0", b" ").strip()
        if not re.fullmatch(rb"[0-7]*", digits):
            raise ContentInvalid(f"The header of the entry {name[:200]!r} is damaged, or this is no tar archive.")
        value = int(digits or b"0", 8)
    if value > UNPACKED_LIMIT:
        raise ContentInvalid(f"The entry {name[:200]!r} has an impossible size.")
    return value


def _pax(data: bytes) -> dict[str, str]:
    """The records of a pax header, a line `length key=value` each. Raises ContentInvalid."""
    records: dict[str, str] = {}
    at = 0
    while at < len(data):
        found = re.compile(rb"([0-9]{1,7}) ([^=]{1,100})=").match(data, at)
        end = at + int(found[1]) if found else 0
        if found is None or end > len(data) or end <= found.end() or data[end - 1 : end] != b"\n":
            raise ContentInvalid("The tarball has a damaged pax header.")
        records[_text(found[2])] = _text(data[found.end() : end - 1])
        at = end
    return records


def _check_entry(entry: Entry) -> None:
    """Only files and folders, and only below the archive's own top. Raises ContentInvalid."""
    shown = f"The entry {entry.name[:200]!r}"
    parts = entry.name.replace("\\", "/").split("/")
    if not entry.name or "\0" in entry.name or len(entry.name.encode("utf-8", "replace")) > PATH_LIMIT:
        raise ContentInvalid(f"{shown} has no usable name.")
    if parts[0] == "" or ".." in parts or DRIVE.match(entry.name):
        raise ContentInvalid(f"{shown} points outside the package.")
    if entry.kind in KINDS:
        raise ContentInvalid(f"{shown} is {KINDS[entry.kind]}; a package holds files only.")
    if entry.kind not in FILES and entry.kind != DIRECTORY:
        raise ContentInvalid(f"{shown} is of an unknown kind.")
    if entry.kind == DIRECTORY and entry.size:
        raise ContentInvalid(f"{shown} is a folder with content.")


def _is_top(name: str, wanted: str) -> bool:
    """Whether npm, which drops the first part of each name, would write this entry as `wanted` (in any letter case)."""
    parts = name.replace("\\", "/").lower().split("/")
    plain = [part for part in parts if part not in {"", "."}]
    return parts[1:] == [wanted] or (len(plain) == 2 and plain[1] == wanted)  # noqa: PLR2004 - folder and file


def _package_json(data: bytes) -> dict[str, object]:
    try:
        package = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))  # npm too reads over a byte order mark
    except orjson.JSONDecodeError as error:
        raise ContentInvalid(f"The package.json in the tarball is not JSON: {error.msg}.") from None
    if not isinstance(package, dict):
        raise ContentInvalid("The package.json in the tarball is not a JSON object.")
    return package


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
