"""gzip read as a stream, within limits of size and ratio. Pure."""

from collections.abc import Iterator
from typing import IO

from packages.formats import gzipped
from packages.formats.errors import ContentInvalid

PIECE = 256 * 1024
UNPACKED_LIMIT = 1024 * 1024 * 1024  # above the limit of a tarball itself, so that incompressible ones pass
RATIO_FROM = 16 * 1024 * 1024  # up to here any ratio is harmless
RATIO_LIMIT = 200  # text packs 3 to 20 times, tables of data seldom 100; zeros 1,000 times
MAGIC = b"\x1f"  # the first byte of a gzip member (RFC 1952, section 2.3.1)


class Unzipped:
    """The bytes of one gzip member, in pieces, within the limits of size and ratio.

    Bytes behind it are an error; a `patient` reader passes over them like npm, unless they begin another member,
    which npm would unpack too.
    """

    def __init__(self, file: IO[bytes], *, patient: bool = False) -> None:
        self._patient = patient
        self._pieces = self._inflate(file)
        self._buffer = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""
        until = self._at + size
        if until <= len(self._buffer):  # all of it at hand
            part, self._at = self._buffer[self._at : until], until
            return part
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
        inflater = gzipped.inflater()
        read = given = 0
        while not inflater.eof:
            packed = inflater.unconsumed_tail or file.read(PIECE)
            if not packed:
                raise ContentInvalid("The tarball is cut off: its gzip stream does not end.")
            read = file.tell()
            try:
                piece = inflater.decompress(packed, PIECE)
            except gzipped.Broken:
                raise ContentInvalid("The tarball is not gzip, or damaged.") from None
            given += len(piece)
            _check_size(given, read)
            if piece:
                yield piece
        rest = inflater.unused_data or file.read(1)
        if rest and not (self._patient and rest[:1] != MAGIC):
            raise ContentInvalid("The tarball has bytes after the end of its gzip stream.")


def _check_size(given: int, read: int) -> None:
    if given > UNPACKED_LIMIT:
        raise ContentInvalid(f"The tarball unpacks to more than {UNPACKED_LIMIT // 1024**2} MiB.")
    if given > RATIO_FROM and given > read * RATIO_LIMIT:
        raise ContentInvalid(f"The tarball unpacks to more than {RATIO_LIMIT} times its size.")
