"""Attachments of a publish document: where they stand, where their bytes go, how they are decoded. Pure."""

import binascii
from collections.abc import Callable
from typing import Protocol

import pybase64

from packages.formats.errors import DocumentInvalid

ATTACHMENTS = "_attachments"
DATA = "data"
DEPTH_LIMIT = 100  # levels of nesting of the document
KEY_LIMIT = 2048  # bytes of a key on the way to an attachment
KEYS_LIMIT = 10_000  # keys in such an object
BACKSLASH = ord("\\")


class Sink(Protocol):
    """Where decoded bytes of one attachment go."""

    def write(self, chunk: bytes, /) -> None:
        """Take the next bytes."""
        ...


SinkFor = Callable[[str], Sink]


class Base64Reader:
    """Strict base64 (RFC 4648, padding needed) in pieces, with the slash also escaped, as JSON may have it."""

    def __init__(self, sink: Sink, name: str) -> None:
        self._sink, self._name = sink, name
        self._rest = b""
        self._over = False

    def feed(self, piece: bytes) -> None:
        """Take the next characters. Raises DocumentInvalid."""
        text = self._rest + piece
        held = b""
        if BACKSLASH in text:
            if text.endswith(b"\\"):
                text, held = text[:-1], b"\\"
            text = text.replace(b"\\/", b"/")
        whole = len(text) & ~3
        self._rest = text[whole:] + held
        if whole:
            self._decode(text[:whole])

    def finish(self) -> None:
        """The string has ended. Raises DocumentInvalid when its last group is not whole."""
        if self._rest:
            raise self._wrong()

    def _decode(self, text: bytes) -> None:
        if self._over:
            raise self._wrong()
        try:
            decoded = pybase64.b64decode(text, validate=True)
        except binascii.Error:
            raise self._wrong() from None
        self._over = text.endswith(b"=")
        self._sink.write(decoded)

    def _wrong(self) -> DocumentInvalid:
        message = f"The data of attachment {self._name[:100]!r} is not base64."
        return DocumentInvalid(message, fields={ATTACHMENTS: "not base64"})
