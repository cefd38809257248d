"""A package's tarball, byte for byte the same for the same files: sorted, without owners, times as npm writes them. Pure.

POSIX ustar with pax records for long or foreign names; gzip (RFC 1952) without a name or a time.
"""

import tarfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

TIME = 499162500  # 1985-10-26T08:15:00Z, as npm and yarn write it
EXECUTABLE, PLAIN = 0o755, 0o644
HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"  # deflate, no time, system unknown
LEVEL = 6
BLOCK = 512
MASK = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive: its path below `package/`, and its bytes in pieces of the whole `size`."""

    path: str
    size: int
    is_executable: bool
    pieces: Iterable[bytes]


def tar_gz(members: Iterable[Member]) -> Iterator[bytes]:
    """The archive in pieces."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    checksum = size = 0
    yield HEAD
    for piece in _tar(members):
        checksum, size = zlib.crc32(piece, checksum), size + len(piece)
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush() + checksum.to_bytes(4, "little") + (size & MASK).to_bytes(4, "little")


def _tar(members: Iterable[Member]) -> Iterator[bytes]:
    for member in members:
        yield _header(member)
        size = 0
        for piece in member.pieces:
            size += len(piece)
            yield piece
        if size != member.size:
            raise ValueError(f"{member.path!r} has {size} bytes instead of {member.size}")
        yield b"\0" * (-size % BLOCK)
    yield b"\0" * (2 * BLOCK)


def _header(member: Member) -> bytes:
    entry = tarfile.TarInfo(f"package/{member.path}")
    entry.size, entry.mtime = member.size, TIME
    entry.mode = EXECUTABLE if member.is_executable else PLAIN
    return entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
