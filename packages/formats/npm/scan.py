"""Reading a publish body without holding it: JSON in pieces, base64 attachments decoded on the way. Pure.

The body of `PUT /:pkg` is one JSON document with the tarball as base64 in `_attachments.<name>.data`. Everything but
those strings is kept as a bounded skeleton, which orjson then parses; it is valid JSON exactly when the body was.
Linear in the body, no recursion, never more in memory than the skeleton and one chunk.
"""

import re
from collections.abc import Callable
from typing import Protocol

import orjson

from packages.formats.errors import DocumentInvalid
from packages.formats.npm.attachments import ATTACHMENTS, DATA, DEPTH_LIMIT, KEY_LIMIT, KEYS_LIMIT, Base64Reader, SinkFor
from packages.formats.npm.whole import read_whole
from workspaces.errors import TooLarge

CHUNK = 256 * 1024
SKELETON_LIMIT = 24 * 1024 * 1024  # bytes of the document without its attachments
PIECE_LIMIT = 2_000_000  # strings, containers and commas: bounds time, and the memory of what orjson builds
ATTACHMENT_DEPTH = 2  # the object whose keys are the attachments' names
DATA_DEPTH = 3  # an attachment's own object

# A whole string, a structural character, or the quote of a string that the chunk cuts off. Possessive, so linear.
TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[{}\[\]:,]|"', re.DOTALL)
RUN = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)  # what a string holds up to its end or the chunk's
DATA_BEGINS = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*"')
QUOTE, BACKSLASH, OPEN_OBJECT, CLOSE_OBJECT, OPEN_ARRAY, CLOSE_ARRAY, COLON, COMMA = b'"\\{}[]:,'
CLOSES = {CLOSE_OBJECT: OPEN_OBJECT, CLOSE_ARRAY: OPEN_ARRAY}


class Source(Protocol):
    """What is read: at most `size` bytes a call, empty at the end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        ...


class BodyCut(DocumentInvalid):
    """The body ended before the document did."""

    code = "body_cut"


class DocumentTooLarge(TooLarge):
    """The document without its attachments is over the limit."""

    code = "document_too_large"


def scan(source: Source, sink_for: SinkFor) -> dict[str, object]:
    """The document without the data of its attachments (an empty string stands there).

    `sink_for(name)` is asked once per attachment with data. Raises DocumentInvalid, DocumentTooLarge, and what sinks raise.
    """
    first, second = source.read(CHUNK), source.read(CHUNK)
    document = None if second else read_whole(first, sink_for)
    if document is not None:
        return document
    scanner = Scanner(sink_for)
    chunk = first
    while chunk:
        scanner.feed(chunk)
        chunk, second = second or source.read(CHUNK), b""
    return scanner.finish()


class Scanner:
    """The state between two chunks: the open containers, the keys on the way to an attachment, an open string."""

    def __init__(self, sink_for: SinkFor) -> None:
        self._sink_for = sink_for
        self._skeleton = bytearray()
        self._open = bytearray()  # the opening characters of the containers we are in
        self._pieces = 0
        self._last = 0  # the structural character before this point
        self._step: Callable[[bytes, int], int] = self._outside
        self._escaped = False
        self._key: bytearray | None = None  # the key being read, where keys matter
        self._keys: list[str | None] = [None] * (DATA_DEPTH + 1)
        self._seen: list[set[str]] = [set() for _ in range(DATA_DEPTH + 1)]
        self._data: Base64Reader | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        at = 0
        while at < len(chunk):
            at = self._step(chunk, at)
        if self._pieces > PIECE_LIMIT or len(self._skeleton) > SKELETON_LIMIT:
            raise DocumentTooLarge("The document is too large, even without its attachments.")

    def finish(self) -> dict[str, object]:
        """The parsed skeleton. Raises DocumentInvalid for anything that is not one JSON object in UTF-8."""
        if self._open or self._data is not None or self._step != self._outside:
            raise BodyCut("The body ends in the middle of the document; nothing was stored.")
        try:
            document = orjson.loads(self._skeleton)
        except orjson.JSONDecodeError as error:
            raise DocumentInvalid(f"The body is not JSON in UTF-8: {error.msg}.") from None
        if not isinstance(document, dict):
            raise DocumentInvalid("The body is not a JSON object.")
        return document

    def _outside(self, chunk: bytes, at: int) -> int:
        """Follow the structure as far as whole tokens go."""
        for found in TOKEN.finditer(chunk, at):
            start, end = found.span()
            char = chunk[start]
            if char == QUOTE:
                after = self._string(chunk, start, end)
                if after:
                    self._skeleton += chunk[at:after]
                    return after
                continue
            if char in CLOSES:
                self._close(char)
            elif char != COLON:
                self._pieces += 1
                if char != COMMA:
                    self._begin_container(char)
            self._last = char
        self._skeleton += chunk[at:]
        return len(chunk)

    def _string(self, chunk: bytes, start: int, end: int) -> int:
        """A string begins at `start`. Returns 0 when it is dealt with, else where to go on (with another step)."""
        self._pieces += 1
        depth = len(self._open)
        is_key = False
        if depth <= DATA_DEPTH and self._on_the_way(depth):
            is_key = self._last != COLON
            if not is_key and depth == DATA_DEPTH and self._keys[DATA_DEPTH] == DATA:
                self._begin_data()
                return start + 1
        if end - start > 1:
            if is_key:
                self._take_key(chunk[start:end])
                if depth == DATA_DEPTH and self._keys[DATA_DEPTH] == DATA:
                    self._step = self._before_data
                    return end
            return 0
        self._key = bytearray(b'"') if is_key else None
        self._step = self._inside
        return start + 1

    def _begin_container(self, char: int) -> None:
        self._open.append(char)
        depth = len(self._open)
        if depth > DEPTH_LIMIT:
            raise DocumentInvalid(f"The document is nested deeper than {DEPTH_LIMIT} levels.")
        if depth <= DATA_DEPTH:
            self._keys[depth] = None
            self._seen[depth].clear()

    def _close(self, char: int) -> None:
        if not self._open or self._open.pop() != CLOSES[char]:
            raise DocumentInvalid("The body is not JSON: a bracket has no partner.")

    def _on_the_way(self, depth: int) -> bool:
        """Whether the object at `depth` is the document, its `_attachments` or one of these."""
        if depth == 0 or self._open[depth - 1] != OPEN_OBJECT:
            return False
        return depth == 1 or (self._keys[1] == ATTACHMENTS and OPEN_ARRAY not in self._open)

    def _inside(self, chunk: bytes, at: int) -> int:
        """Inside a kept string that a chunk cut off."""
        begin = at
        if self._escaped:
            self._escaped, begin = False, at + 1
        found = RUN.match(chunk, begin)
        end = found.end() if found else begin
        if end >= len(chunk):
            self._keep(chunk[at:])
        elif chunk[end] == BACKSLASH:  # the very last character: what it escapes comes with the next chunk
            self._escaped = True
            self._keep(chunk[at:])
        else:
            self._keep(chunk[at : end + 1])
            self._step = self._outside
            if self._key is not None:
                self._take_key(bytes(self._key))
            return end + 1
        return len(chunk)

    def _keep(self, piece: bytes) -> None:
        self._skeleton += piece
        if self._key is not None:
            self._key += piece
            if len(self._key) > KEY_LIMIT:
                raise DocumentInvalid("The document has a key that is too long.")

    def _take_key(self, quoted: bytes) -> None:
        """A key on the way to an attachment: remembered, and refused the second time."""
        try:
            key = orjson.loads(quoted)
        except orjson.JSONDecodeError as error:
            raise DocumentInvalid(f"The body is not JSON in UTF-8: {error.msg}.") from None
        self._key = None
        depth = len(self._open)
        if len(quoted) > KEY_LIMIT or len(self._seen[depth]) >= KEYS_LIMIT:
            raise DocumentInvalid("The document has too many keys, or one that is too long.")
        if key in self._seen[depth]:
            raise DocumentInvalid(f"The document has {key[:100]!r} twice.", fields={key[:100]: "twice"})
        self._seen[depth].add(key)
        self._keys[depth] = key

    def _before_data(self, chunk: bytes, at: int) -> int:
        """Behind the key of an attachment's data: its string is gone into at once, not looked through as a token first."""
        self._step = self._outside
        found = DATA_BEGINS.match(chunk, at)
        if found is None:  # no string, or one that this chunk does not reach
            return at
        self._skeleton += found[0]
        self._pieces += 1
        self._begin_data()
        return found.end()

    def _begin_data(self) -> None:
        name = self._keys[ATTACHMENT_DEPTH] or ""
        self._data = Base64Reader(self._sink_for(name), name)
        self._step = self._inside_data

    def _inside_data(self, chunk: bytes, at: int) -> int:
        """Inside an attachment's data: decoded into its sink, not kept."""
        if self._data is None:  # the step is only set together with the reader
            raise AssertionError
        end = chunk.find(b'"', at)
        if end < 0:
            self._data.feed(chunk[at:])
            return len(chunk)
        self._data.feed(chunk[at:end])
        self._data.finish()
        self._data = None
        self._skeleton.append(QUOTE)
        self._step = self._outside
        return end + 1
