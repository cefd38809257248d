"""Bodies decoded within bounds, a piece at a time, and kept as they were compressed for whoever wants them so."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from packages.formats import gzipped
from upstreams.errors import UpstreamBadAnswer

PIECE = 256 * 1024  # bytes decoded at once


class Gunzip:
    """A bounded decoder."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._unzip = gzipped.inflater()

    @property
    def is_whole(self) -> bool:
        """Whether the gzip stream has ended as it should."""
        return self._unzip.eof

    def __call__(self, piece: bytes) -> Iterator[bytes]:
        """The decoded bytes of the next ones."""
        while piece:
            try:
                yield self._unzip.decompress(piece, PIECE)
            except gzipped.Broken:
                raise UpstreamBadAnswer(f"Upstream {self._upstream} sent broken gzip.", upstream=self._upstream) from None
            if self._unzip.unused_data:  # zlib would hand the same tail back for ever, and keep each copy
                raise UpstreamBadAnswer(f"Upstream {self._upstream} sent bytes after the end of its gzip.", upstream=self._upstream)
            piece = self._unzip.unconsumed_tail


def decoder_for(encoding: str, upstream: str) -> Callable[[bytes], Iterator[bytes]]:
    """For gzip or identity; anything else was not asked for."""
    if encoding.lower() in {"", "identity"}:
        return lambda piece: iter((piece,))
    if encoding.lower() not in {"gzip", "x-gzip"}:
        raise UpstreamBadAnswer(f"Upstream {upstream} sent an encoding nobody asked for.", upstream=upstream)
    return Gunzip(upstream)


def decoded(
    pieces: Iterable[bytes], encoding: str, upstream: str, limit: int, compressed: "Compressed | None" = None, length: int | None = None
) -> Iterator[bytes]:
    """A body's `pieces` decoded: never more than `limit` bytes, and nothing of one that says itself that it has more.

    `compressed` is told the bytes before they are decoded. Raises UpstreamBadAnswer.
    """
    decoder, total = decoder_for(encoding, upstream), length or 0
    if compressed is not None:
        compressed.decoder = decoder
    too_much = UpstreamBadAnswer(f"Upstream {upstream} sent more than {limit:,} bytes.", upstream=upstream)
    if total > limit:
        raise too_much
    total = 0
    for piece in pieces:
        if compressed is not None:
            compressed.take(piece)
        for part in decoder(piece):
            total += len(part)
            if total > limit:
                raise too_much
            yield part


@dataclass
class Compressed:
    """A gzip body as it came over the wire."""

    received: list[bytes] = field(default_factory=list, repr=False)
    decoder: object = None

    def take(self, piece: bytes) -> None:
        """The next bytes; of a body that is not compressed none is kept."""
        if isinstance(self.decoder, Gunzip):
            self.received.append(piece)

    @property
    def gzip(self) -> bytes:
        """All of it, if it is one whole gzip stream; else b""."""
        return b"".join(self.received) if isinstance(self.decoder, Gunzip) and self.decoder.is_whole else b""
