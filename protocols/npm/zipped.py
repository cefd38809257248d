"""Bodies that may come compressed: npm gzips its audits, yarn 4 does not. Bounded before and after (threats.md R3)."""

from django.http import HttpRequest

from packages.errors import BodyTooLarge
from packages.formats import gzipped
from packages.formats.errors import DocumentInvalid
from protocols.npm.door import Body, encoding_of

PIECE = 64 * 1024
GZIP = frozenset({"gzip", "x-gzip"})


def read_zipped(request: HttpRequest, limit: int) -> bytes:
    """The body, decompressed; neither form has more than `limit` bytes. Raises BodyTooLarge, EncodingUnknown, DocumentInvalid, BodyCut."""
    body = Body(request, limit, encodings=GZIP)
    if encoding_of(request) not in GZIP:
        return b"".join(iter(lambda: body.read(PIECE), b""))
    unzip, pieces, total = gzipped.inflater(), [], 0
    while piece := body.read(PIECE):
        if unzip.eof:
            raise DocumentInvalid("Something follows the end of the body's gzip.")
        while piece and not unzip.eof:
            plain = _inflated(unzip, piece)
            total += len(plain)
            if total > limit:
                raise BodyTooLarge(f"The body may have at most {limit:,} bytes when it is decompressed.")
            pieces.append(plain)
            piece = unzip.unconsumed_tail
        if unzip.unused_data:
            raise DocumentInvalid("Something follows the end of the body's gzip.")
    if not unzip.eof:
        raise DocumentInvalid("The body's gzip ends before its time.")
    return b"".join(pieces)


def _inflated(unzip: gzipped.Inflater, piece: bytes) -> bytes:
    try:
        return unzip.decompress(piece, PIECE * 4)
    except gzipped.Broken:
        raise DocumentInvalid("The body is not gzip, as its Content-Encoding says.") from None
