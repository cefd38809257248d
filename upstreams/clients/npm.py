"""What Gatehouse asks an npm registry: a packument and a tarball."""

import contextlib
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol
from urllib.parse import quote

import orjson
from isal import isal_zlib

from packages.formats.npm.names import Name
from packages.formats.npm.packument import Manifest
from packages.formats.npm.sent import NotMetadata, Sent
from upstreams.clients.connections import no_check
from upstreams.clients.decoding import Compressed
from upstreams.clients.echo import refuse_echo
from upstreams.clients.http import Answer, Refusable, Target, get, origin_of, refuse_status
from upstreams.clients.watchdog import SLOTS
from upstreams.errors import UpstreamBadAnswer
from upstreams.memory import LARGE as LARGE_TO_PARSE
from upstreams.memory import parsed

CONTAINERS, VALUES = 1_000_000, 4_000_000  # objects and lists, and commas, in one document: bounds what it takes in memory
NO_SIGNS = bytes(set(range(256)) - set(b"{[,"))
LARGE = 16 * 1024 * 1024  # bytes from which on a document is a large one
WRITABLE = 250  # levels that orjson certainly writes again (its limit is 254)
PACKUMENT = {"accept": "application/json", "accept-encoding": "gzip"}  # what is sent with each of the two questions
TARBALL = {"accept": "application/octet-stream, */*;q=0.5", "accept-encoding": "identity"}
OK, NOT_MODIFIED, NOT_FOUND, GONE = 200, 304, 404, 410


class Readable(Refusable, Protocol):
    """An answer whose body can be read."""

    def pieces(self, limit: int, compressed: Compressed | None = None) -> Iterator[bytes]:
        """The decoded body. Raises UpstreamError subclasses."""


@dataclass(frozen=True)
class Known:
    """The validators of what we hold, '' where there are none."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True)
class Fetched:
    """An answer about a name: `is_present` False is its 404, `body` None is its 304. `promises` are the body's."""

    is_present: bool
    body: bytes | None = None
    promises: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    last_modified: str = ""
    sent: Sent | None = field(default=None, repr=False)  # the body, looked into
    gzip: bytes = field(default=b"", repr=False)  # the body as it came, if it came compressed

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex of the body as it came: compressed, if it was (a fifth of the bytes)."""
        return hashlib.sha256(self.gzip or self.body or b"").hexdigest()

    @property
    def packed(self) -> bytes:
        """The body, compressed."""
        return self.gzip or isal_zlib.compress(self.body or b"", level=1, wbits=31)


def fetch_packument(target: Target, name: Name, known: Known, *, limit: int, before_send: Callable[[], None] = no_check) -> Fetched:
    """The full packument of `name`, conditionally. `limit` in bytes after decompression.

    Raises UpstreamError subclasses; an answer about another name, or none at all, is UpstreamBadAnswer.
    """
    headers = dict(PACKUMENT)
    if known.etag:
        headers["if-none-match"] = known.etag
    if known.last_modified:
        headers["if-modified-since"] = known.last_modified
    answer = get(target, packument_url(target, name), headers, before_send=before_send)
    try:
        return read_packument(target, answer, name, known, limit=limit)
    finally:
        answer.close()


def fetch_tarball(target: Target, url: str, *, before_send: Callable[[], None] = no_check) -> Answer:
    """Open the tarball at `url`; credentials go along only to the upstream's own origin. The caller closes it."""
    answer = get(target, url, TARBALL, before_send=before_send)
    if answer.status == OK:
        return answer
    answer.close()
    if answer.status in {NOT_FOUND, GONE}:
        raise UpstreamBadAnswer(f"Upstream {target.name} lists this file but does not have it.", upstream=target.name)
    raise refuse_status(answer)


def escaped(name: Name) -> str:
    """The name as one path segment, `@scope%2fname` as npm itself writes it."""
    return f"@{quote(name.scope, safe='~')}%2f{quote(name.bare, safe='~')}" if name.scope else quote(name.bare, safe="~")


def packument_url(target: Target, name: Name) -> str:
    """Where its packument is."""
    return f"{target.url}/{escaped(name)}"


def read_packument(target: Target, answer: "Readable", name: Name, known: Known, *, limit: int) -> Fetched:
    """What the upstream's answer says. Raises UpstreamError subclasses."""
    if answer.status == NOT_MODIFIED and (known.etag or known.last_modified):
        return Fetched(is_present=True, etag=known.etag, last_modified=known.last_modified)
    if answer.status in {NOT_FOUND, GONE}:
        return Fetched(is_present=False)
    if answer.status != OK:
        raise refuse_status(answer)
    compressed = Compressed()
    with contextlib.ExitStack() as until:
        data = _whole(target, answer, limit, compressed, until)
        sent = _checked(target, data, name)
    etag, modified = (answer.headers.get(header, "") for header in ("etag", "last-modified"))
    return Fetched(
        is_present=True,
        body=data,
        promises=sent.promises(),
        etag=_kept(etag, 500),
        last_modified=_kept(modified, 100),
        sent=sent,
        gzip=compressed.gzip,
    )


def whole(data: bytes) -> Manifest:
    """All of a packument that was sent. Raises ValueError."""
    try:
        document: Manifest = parsed(data)
        orjson.dumps(document)  # what nests too deeply to be written again is refused here, not when it is rendered
    except (RecursionError, orjson.JSONEncodeError) as error:
        raise ValueError(str(error)) from None
    return document


def _whole(target: Target, answer: "Readable", limit: int, compressed: Compressed, until: contextlib.ExitStack) -> bytes:
    """The body. Of large ones only so many are held and taken apart at once, `until` this one is done. Raises UpstreamError."""
    body, is_large = io.BytesIO(), False
    for piece in answer.pieces(limit, compressed):
        body.write(piece)
        if not is_large and body.tell() > LARGE:
            is_large = True
            until.callback(SLOTS.take_large(origin_of(target.url), target.name).release)
    return body.getvalue()


def _checked(target: Target, data: bytes, name: Name) -> Sent:
    """The packument, if it is one. Raises UpstreamBadAnswer."""
    upstream = target.name
    if len(data) > 2 * CONTAINERS and _is_of_too_many_pieces(data):  # each is two bytes
        raise UpstreamBadAnswer(f"Upstream {upstream} sent metadata of too many pieces.", upstream=upstream)
    try:
        sent = Sent(data)
        if target.authorization or target.secrets:
            refuse_echo(target, orjson.dumps(whole(data)))
        elif len(data) < LARGE_TO_PARSE and not sent.nests_within(WRITABLE):  # a larger one is refused when it is read as a whole
            whole(data)
    except (ValueError, RecursionError):
        raise UpstreamBadAnswer(f"Upstream {upstream} did not send JSON that can be used.", upstream=upstream) from None
    except NotMetadata:
        raise UpstreamBadAnswer(f"Upstream {upstream} did not send package metadata.", upstream=upstream) from None
    if sent.name != name.full:
        raise UpstreamBadAnswer(f"Upstream {upstream} answered about another package.", upstream=upstream)
    return sent


def _is_of_too_many_pieces(data: bytes) -> bool:
    """Whether it opens more containers, or holds more values, than a packument may; strings may hold some of these, which count too."""
    signs = data.translate(None, NO_SIGNS)  # one pass over megabytes, where counting each sign in them takes three
    commas = signs.count(b",")
    return commas > VALUES or len(signs) - commas > CONTAINERS


def _kept(header: str, length: int) -> str:
    """A validator we may send back; an overlong or odd one is dropped."""
    return header if len(header) <= length and header.isprintable() and header.isascii() else ""
