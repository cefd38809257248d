"""Plain questions to upstreams on the event loop.

The same guard, limits and breaker as in `upstreams.clients.http`, without its threads. Whatever is not plain (a redirect, a
line that breaks, an answer that is late) is Unsure: the caller asks the other way, which knows what is wrong and says so. No
credentials go this way, and no body.
"""

import asyncio
import contextlib
import functools
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from upstreams.clients.breaker import BREAKERS, is_failure
from upstreams.clients.connections import acknowledge_at_once, dialled
from upstreams.clients.guard import AddressForbidden
from upstreams.clients.heard import Flowing, Heard
from upstreams.clients.hearing import Broken, Hearing
from upstreams.clients.http import USER_AGENT, Target, origin_of
from upstreams.clients.watchdog import SLOTS

IDLE, IDLE_SECONDS = 16, 20.0  # lines kept for the next question: how many of an origin, how long
PLACES = 256  # origins with lines
DIALLING = 8  # lines being opened at once
PATH = re.compile(r"/[!-~]*")
HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
BeforeSend = Callable[[], Awaitable[None]]
_dialling = ThreadPoolExecutor(DIALLING, thread_name_prefix="dialling")


class Unsure(Exception):
    """Nothing came of it that could be used; the other way says why."""


class Lines:
    """The lines of one event loop, kept open between questions."""

    def __init__(self) -> None:
        self._idle: dict[object, list[_Line]] = {}

    async def ask(self, target: Target, url: str, headers: dict[str, str], *, limit: int, before_send: BeforeSend) -> Heard | Flowing:
        """GET `url`: a whole answer of at most `limit` bytes on the wire, or the beginning of a longer one. Raises Unsure.

        `before_send` is awaited when the line stands and nothing has been sent; what it raises passes through. The caller
        closes what flows.
        """
        slot = None if BREAKERS.is_open(target) else SLOTS.take_at_once((origin_of(target.url), headers.get("accept", "")))
        if slot is None:
            raise Unsure
        begun = time.monotonic()
        with contextlib.ExitStack() as until:
            until.callback(slot.release)
            try:
                async with asyncio.timeout(target.read_timeout):
                    line, hearing = await self._asked(target, url, headers, limit, before_send)
            except (OSError, AddressForbidden, ValueError) as error:  # TimeoutError, ssl.SSLError and UnicodeError are among them
                raise Unsure from error
            if is_failure(hearing.status):  # asked again by the other way, and counted there
                line.close()
                raise Unsure
            BREAKERS.heard(target, hearing.status, begun)
            if hearing.flows:
                until.callback(line.close)
                deadline = begun + target.total_timeout
                return Flowing(hearing, url, target, deadline, asyncio.get_running_loop(), until.pop_all().close)
        self._keep(_key(target, url), line)
        return Heard(hearing.status, hearing.headers, url, target.name, b"".join(hearing.body))

    async def _asked(
        self, target: Target, url: str, headers: dict[str, str], limit: int, before_send: BeforeSend
    ) -> "tuple[_Line, Hearing]":
        question, kept = _question(url, headers), self._kept(_key(target, url))
        for line in (kept, None) if kept is not None else (None,):
            asked = line or await _opened(target, url)
            try:
                await before_send()
                hearing = await asked.say(question, limit)
            except BaseException:
                asked.close()
                raise
            if hearing is not None:
                return asked, hearing
            asked.close()  # while it rested, as any may be
        raise Unsure

    def _kept(self, key: object) -> "_Line | None":
        """A line that rests and stands."""
        lines = self._idle.get(key, [])
        while lines:
            line = lines.pop()
            if not line.is_over and time.monotonic() - line.rests_since < IDLE_SECONDS:
                return line
            line.close()
        return None

    def _keep(self, key: object, line: "_Line") -> None:
        if len(self._idle) >= PLACES and key not in self._idle:
            for one in self._idle.pop(next(iter(self._idle))):
                one.close()
        lines = self._idle.setdefault(key, [])
        if line.is_over or len(lines) >= IDLE:
            line.close()
        else:
            line.rests_since = time.monotonic()
            lines.append(line)


class _Line(asyncio.Protocol):
    """One connection: a question, its answer, the next question."""

    def __init__(self, sock: Any) -> None:
        self._sock, self._transport = sock, _Nowhere()
        self._hearing: Hearing | None = None
        self._heard: asyncio.Future[Hearing | None] | None = None
        self.is_over, self.rests_since = False, 0.0

    async def say(self, question: bytes, limit: int) -> Hearing | None:
        """Send it; its answer, whole or long, None when the line ended before a byte of one. Raises Unsure."""
        if self.is_over:
            return None
        self._hearing, self._heard = Hearing(limit, self._pause), asyncio.get_running_loop().create_future()
        self._transport.write(question)
        acknowledge_at_once(self._sock)
        return await self._heard

    def close(self) -> None:
        """Never to be used again."""
        self.is_over = True
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        """The line stands."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of an answer, if one is waited for."""
        hearing = self._hearing
        if hearing is None or not hearing.take(data):  # nobody asked, or nobody can use it
            self.close()
            self._end()
            return
        if hearing.is_complete:
            self.is_over, self._hearing = self.is_over or not hearing.keeps, None
        if (hearing.is_complete or hearing.flows) and self._heard is not None and not self._heard.done():
            self._heard.set_result(hearing)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own form
        """The end; of an answer that is not whole too."""
        self.is_over = True
        self._end()

    def _pause(self, is_to_wait: bool) -> None:  # noqa: FBT001 - a state, not a switch
        if not self.is_over:
            (self._transport.pause_reading if is_to_wait else self._transport.resume_reading)()

    def _end(self) -> None:
        """Nothing more comes."""
        hearing, self._hearing = self._hearing, None
        if hearing is not None:
            hearing.pieces.put(Broken())
        if self._heard is not None and not self._heard.done():
            if hearing is not None and hearing.size:
                self._heard.set_exception(Unsure())
            else:
                self._heard.set_result(None)


class _Nowhere:
    """What a line talks to before it stands."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _question(url: str, headers: dict[str, str]) -> bytes:
    """The request (RFC 9112). Raises Unsure for an address that is not plain."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    is_plain = HOST.fullmatch(parts.hostname or "") and PATH.fullmatch(path) and "@" not in parts.netloc
    if parts.scheme not in {"http", "https"} or not is_plain:
        raise Unsure
    lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", f"User-Agent: {USER_AGENT}"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", ""]).encode("ascii")


def _key(target: Target, url: str) -> tuple[Any, ...]:
    """What lines are told apart by: where they lead, and as what that was admitted."""
    origin = origin_of(url)
    return origin, target.is_trusted and origin == origin_of(target.url), tuple(target.allowed)


async def _opened(target: Target, url: str) -> _Line:
    (scheme, host, port), is_trusted, allowed = _key(target, url)
    loop = asyncio.get_running_loop()
    dial = functools.partial(dialled, host, port, allowed, trusted=is_trusted, seconds=target.connect_timeout)
    sock = await loop.run_in_executor(_dialling, dial)
    secure = _context() if scheme == "https" else None
    try:
        _, line = await loop.create_connection(lambda: _Line(sock), sock=sock, ssl=secure, server_hostname=host if secure else None)
    except BaseException:
        sock.close()
        raise
    return line


@functools.cache
def _context() -> ssl.SSLContext:
    """Made once: it reads the certificates of all authorities."""
    return ssl.create_default_context()
