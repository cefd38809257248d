"""Unpacking gzip (RFC 1952) by zlib-ng: zlib's own calls, results and refusals, in half its time."""

from typing import cast

from zlib_ng import zlib_ng

Broken = cast("type[Exception]", zlib_ng.error)  # what an inflater raises
Inflater = zlib_ng._Decompress  # noqa: SLF001 - as zlib, it gives its type no other name


def inflater() -> Inflater:
    """For one member, a piece at a time."""
    return zlib_ng.decompressobj(wbits=31)


def unpacked(packed: bytes) -> bytes:
    """The whole of what we packed ourselves, or checked."""
    return zlib_ng.decompress(packed, wbits=31)
