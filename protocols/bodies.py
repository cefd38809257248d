"""Receiving request bodies: refused early, limited, spooled to disk, whole or not at all (threats.md R1, R2, F).

A view starts only when every byte has come; a client that sends slowly, never ends, or goes away half-way
costs a coroutine for a while and changes nothing.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any, Protocol

from django.conf import settings

from packages.blobs import IN_MEMORY, staging_folder
from packages.formats.errors import DocumentInvalid
from protocols.inthread import in_thread

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Headers = dict[str, str]
Admit = Callable[[str, str, Headers, str], Awaitable["BodyRefused | Sink | int"]]  # the refusal, where it goes, or how many bytes may come

UNASKED = 64 * 1024  # bytes a body may have without anybody asking who sends it
MINIMUM_RATE = 4 * 1024  # bytes per second
GATHERED = 1024 * 1024  # bytes that a sink is given at a time


class Sink(Protocol):
    """Where a long body goes as it comes, instead of a file of its own; what has come stays there when it is cut off."""

    limit: int  # bytes

    def write(self, pieces: Sequence[bytes]) -> None:
        """Take the next bytes; called in a thread. Raises BodyRefused."""

    def close(self) -> None:
        """Nothing more comes, or nobody reads what came; called once, in a thread."""


class ClientGone(Exception):
    """The client went away before its body was whole; there is nobody to answer."""


class BodyRefused(Exception):
    """The body is not taken: too large, too slow, or its sender may not send it."""

    def __init__(self, status: int, sentence: str, code: str, headers: Headers | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.code = status, sentence, code
        self.headers = headers or {}


@dataclass
class Body:
    """A whole body: a rewound file, or a sink, and its length in bytes."""

    file: IO[bytes]
    length: int = 0
    sink: Sink | None = None  # has the bytes; `file` is empty then
    begun: float = field(default_factory=time.monotonic)
    _held: list[bytes] = field(default_factory=list)
    _size: int = 0  # of what is held

    async def take(self, piece: bytes) -> None:
        """The next bytes. A sink gets them some at a time: each time is a change of threads."""
        if self.sink is None:
            self.file.write(piece)
            return
        self._held.append(piece)
        self._size += len(piece)
        if self._size >= GATHERED:
            await self.settle()

    async def settle(self) -> None:
        """Give the sink what is held."""
        if self.sink is not None and self._held:
            sink, pieces = self.sink, self._held
            self._held, self._size = [], 0
            await in_thread(lambda: sink.write(pieces))

    async def close(self) -> None:
        """Let go of it: a sink keeps what has come until here."""
        self.file.close()
        if self.sink is None:
            return
        try:
            await self.settle()
        finally:
            sink, self.sink = self.sink, None
            await in_thread(sink.close)


async def receive_body(scope: Message, headers: Headers, ip: str, receive: Receive, *, admit: Admit) -> Body:
    """The request's body. Raises BodyRefused, ClientGone."""
    declared = _declared(headers)
    chunked = "transfer-encoding" in headers
    if not declared and not chunked:
        return Body(BytesIO())
    body = Body(BytesIO() if not chunked and (declared or 0) <= IN_MEMORY else _spooled())
    limit = UNASKED
    try:
        if chunked or (declared or 0) > UNASKED:
            admitted = await _be_admitted(admit, scope, headers, ip)
            body.sink = None if isinstance(admitted, int) else admitted
            limit = admitted if isinstance(admitted, int) else admitted.limit
        _be_within(declared, limit)
        await _fill(body, receive, limit, None if chunked else declared)
        _be_whole(body, None if chunked else declared)
    except BaseException:
        await body.close()
        raise
    body.file.seek(0)
    return body


def _spooled() -> IO[bytes]:
    """A file for a body that is long, or may become so; on disk from IN_MEMORY bytes on."""
    folder = staging_folder()
    folder.mkdir(parents=True, exist_ok=True)
    return tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder))


async def _be_admitted(admit: Admit, scope: Message, headers: Headers, ip: str) -> Sink | int:
    """Ask the door before a long body is received; where it goes, or how many bytes this route takes, whatever the headers say."""
    answer = await admit(scope["method"], scope["path"], headers, ip)
    if isinstance(answer, BodyRefused):
        raise answer
    return answer


def _be_within(length: int | None, limit: int) -> None:
    if length is not None and length > limit:
        raise _too_large(limit)


def _be_whole(body: Body, declared: int | None) -> None:
    if declared is not None and body.length != declared:
        raise ClientGone


async def _fill(body: Body, receive: Receive, limit: int, declared: int | None) -> None:
    """Take pieces until the last one, or all that was declared: hearing that nothing follows wakes four threads."""
    while True:
        try:
            async with asyncio.timeout(settings.BODY_IDLE):
                message = await receive()
        except TimeoutError:
            raise _too_slow() from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        body.length += len(piece)
        _be_within(body.length, limit)
        await body.take(piece)
        if not message.get("more_body") or body.length == declared:
            await body.settle()
            return
        elapsed = time.monotonic() - body.begun
        if elapsed > settings.BODY_GRACE and body.length < MINIMUM_RATE * elapsed:
            raise _too_slow()


def _declared(headers: Headers) -> int | None:
    raw = headers.get("content-length")
    if raw is None:
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > 18:  # noqa: PLR2004 - beyond any limit
        raise BodyRefused(400, "Content-Length is not a number.", DocumentInvalid.code)
    return int(raw)


def _too_large(limit: int) -> BodyRefused:
    return BodyRefused(413, f"A body here may have at most {limit:,} bytes.", "body_too_large")


def _too_slow() -> BodyRefused:
    return BodyRefused(408, "The body came too slowly.", "body_too_slow")
