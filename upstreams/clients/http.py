"""One guarded HTTP conversation with an upstream: addresses, redirects, credentials, limits, time (threats.md U1 to U25).

Sockets go only to addresses the guard admits, resolved once per connection. Redirects are followed by
hand. Credentials go to the upstream's own scheme, host and port. No environment proxies, no ORM.
"""

import base64
import contextlib
import re
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as Urllib3Timeout

from upstreams.clients.breaker import BREAKERS
from upstreams.clients.causes import cause_of
from upstreams.clients.connections import Origin, no_check, pool_for, sending
from upstreams.clients.decoding import Compressed, decoded
from upstreams.clients.guard import AddressForbidden, AllowedNetwork
from upstreams.clients.watchdog import SLOTS, WATCHDOG, Watch, is_dripping, release, unless_answered
from upstreams.errors import (
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamForbiddenAddress,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)

HOPS = 5
PIECE = 64 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
KEEPING = frozenset({307, 308})  # those that keep the method and the body (RFC 9110, section 15.4)
USER_AGENT = "gatehouse"
NUMBER = re.compile(r"[0-9]{1,15}")
NEVER = urllib3.Retry(False, redirect=False)


@dataclass(frozen=True, kw_only=True)
class Target:
    """An upstream as the client needs it. `authorization` is a ready header value, or ''."""

    name: str
    url: str
    authorization: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)  # what a variable of the credentials stood for; no answer may repeat it
    is_probe: bool = False  # asked by a person who wants to see what happens: no breaker stands before it, and none is opened by it
    is_trusted: bool = False  # the operator's own NPM_UPSTREAM_URL: its origin is reached whatever it resolves to
    allowed: Sequence[AllowedNetwork] = ()
    connect_timeout: float = 10.0
    read_timeout: float = 20.0
    total_timeout: float = 300.0


@dataclass(frozen=True)
class Upload:
    """A body of `length` bytes that is made while it is sent, anew for each hop."""

    length: int
    pieces: Callable[[], Iterator[bytes]] = field(repr=False)


@dataclass
class Answer:
    """A response whose body has not been read. `url` is where it finally came from."""

    status: int
    headers: "urllib3.HTTPHeaderDict"
    url: str
    upstream: str
    _response: "urllib3.BaseHTTPResponse" = field(repr=False)
    _watch: Watch = field(repr=False)
    _done: Callable[[], object] = field(repr=False, default=no_check)

    @property
    def length(self) -> int | None:
        """Content-Length of an unencoded body, in bytes."""
        return length_of(self.headers)

    def pieces(self, limit: int, compressed: Compressed | None = None) -> Iterator[bytes]:
        """The decoded body; never more than `limit` bytes after decompression, in bounded time.

        `compressed` is told the bytes before they are decoded.
        """
        return decoded(self._received(), self.headers.get("content-encoding", ""), self.upstream, limit, compressed, self.length)

    def close(self) -> None:
        """Give the connection up; an unread one is not used again."""
        self._response.close()
        self._done()

    def _received(self) -> Iterator[bytes]:
        begun, raw = time.monotonic(), 0
        with _translated(self.upstream, self._watch):
            # read1 gives what one system call brought: a whole PIECE would wait for the last drop of a drip.
            while piece := self._response.read1(PIECE, decode_content=False):
                raw += len(piece)
                self._judge(begun, raw)
                yield piece
            self._judge(begun, raw)  # a line that was broken off may look like the end of the body

    def _judge(self, begun: float, raw: int) -> None:
        now = time.monotonic()
        if self._watch.is_over or now > self._watch.deadline or is_dripping(raw, now - begun):
            raise UpstreamTimeout(f"Upstream {self.upstream} sends too slowly.", upstream=self.upstream)


def length_of(headers: Mapping[str, str]) -> int | None:
    """Content-Length of an unencoded body, in bytes."""
    raw = headers.get("content-length", "")
    return int(raw) if NUMBER.fullmatch(raw) and not headers.get("content-encoding") else None


Body = bytes | Upload | None


def get(target: Target, url: str, headers: dict[str, str], *, before_send: Callable[[], None] = no_check) -> Answer:
    """GET `url`, following at most five redirects. The caller reads and closes the answer.

    `before_send` runs on every hop when the connection stands and nothing has been sent yet; it may raise.
    Raises UpstreamForbiddenAddress, UpstreamTimeout, UpstreamUnreachable, UpstreamBadAnswer.
    """
    return _converse(target, url, headers, None, before_send)


def post(target: Target, url: str, body: bytes, headers: dict[str, str], *, before_send: Callable[[], None] = no_check) -> Answer:
    """POST `body`. Redirects are followed only where they keep the method and the origin: the body is meant for this upstream alone.

    Raises what `get` raises. The caller reads and closes the answer.
    """
    return _converse(target, url, headers, body, before_send)


def post_once(target: Target, url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """POST `body` and take whatever is answered: no redirect is followed. Raises what `get` raises; the caller closes the answer."""
    slot = SLOTS.take((origin_of(url), "hook"), target.name)
    watch = WATCHDOG.watch(target.total_timeout)
    with unless_answered(watch, slot):
        response = _once(target, headers, body, no_check, watch, url)
        answer = Answer(response.status, response.headers, url, target.name, response, watch)
    answer._done = weakref.finalize(answer, release, watch, slot)  # noqa: SLF001 - also for an answer nobody closes
    return answer


def put(target: Target, url: str, body: Upload, headers: dict[str, str], *, before_send: Callable[[], None] = no_check) -> Answer:
    """PUT what is too large to be held in memory; redirects as for `post`, and the same is raised. The caller closes the answer."""
    return _converse(target, url, headers | {"content-length": str(body.length)}, body, before_send)


def _converse(target: Target, url: str, headers: dict[str, str], body: Body, before_send: Callable[[], None]) -> Answer:
    slot = SLOTS.take((origin_of(target.url), headers.get("accept", "")), target.name)  # files do not take the places of documents
    watch = WATCHDOG.watch(target.total_timeout)
    with unless_answered(watch, slot):
        answer = _follow(target, url, partial(_once, target, headers, body, before_send, watch), watch, keeps=body is not None)
    answer._done = weakref.finalize(answer, release, watch, slot)  # noqa: SLF001 - also for an answer nobody closes
    return answer


class Refusable(Protocol):
    """An answer as far as its head tells."""

    @property
    def status(self) -> int:
        """HTTP's."""

    @property
    def upstream(self) -> str:
        """The upstream's name."""

    @property
    def headers(self) -> Mapping[str, str]:
        """By name in lower case."""


def refuse_status(answer: Refusable) -> UpstreamError:
    """The error for a status that is neither success nor absence."""
    name = answer.upstream
    if answer.status in {401, 403, 407}:
        return UpstreamUnauthorized(f"Upstream {name} refused our credentials ({answer.status}).", upstream=name)
    if answer.status == 429 or answer.status >= 500:  # noqa: PLR2004 - HTTP
        raw = answer.headers.get("retry-after", "")
        wait = min(int(raw), 3600) if NUMBER.fullmatch(raw) else 30
        return UpstreamUnreachable(f"Upstream {name} answers {answer.status}.", upstream=name, retry_after=wait)
    return UpstreamBadAnswer(f"Upstream {name} answered {answer.status}, which is no answer to this question.", upstream=name)


@lru_cache(maxsize=1024)
def origin_of(url: str) -> Origin:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or (443 if parts.scheme == "https" else 80)


def basic(username: str, password: str) -> str:
    """The header value of HTTP Basic (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode("ascii")


def _follow(target: Target, url: str, ask: "Callable[[str], urllib3.BaseHTTPResponse]", watch: Watch, *, keeps: bool) -> Answer:
    """Ask along redirects; `keeps`: a body goes along, so method and origin must stay."""
    for _ in range(HOPS + 1):
        try:
            response = ask(url) if target.is_probe else BREAKERS.guard(target, partial(ask, url))
        except UpstreamError as error:
            error.address = url if origin_of(url) != origin_of(target.url) else ""
            raise
        location = response.headers.get("location", "")
        if response.status not in REDIRECTS:
            return Answer(response.status, response.headers, url, target.name, response, watch)
        response.close()
        following = _next(target, url, location)
        if keeps and (response.status not in KEEPING or origin_of(following) != origin_of(url)):
            raise UpstreamBadAnswer(f"Upstream {target.name} redirects what it was sent elsewhere.", upstream=target.name, cause="redirect")
        url = following
    raise UpstreamBadAnswer(f"Upstream {target.name} redirects in circles.", upstream=target.name, cause="redirect")


def _once(
    target: Target, headers: dict[str, str], body: Body, before_send: Callable[[], None], watch: Watch, url: str
) -> "urllib3.BaseHTTPResponse":
    origin = origin_of(url)
    own = origin == origin_of(target.url)
    sent = {"user-agent": USER_AGENT, **headers}
    if own and target.authorization:
        sent["authorization"] = target.authorization
    pool = pool_for(origin, trusted=own and target.is_trusted, allowed=tuple(target.allowed))
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with _translated(target.name, watch), sending(before_send, watch):
        return pool.urlopen(
            "GET" if body is None else "PUT" if isinstance(body, Upload) else "POST",
            path,
            body=body.pieces() if isinstance(body, Upload) else body,
            headers=sent,
            redirect=False,
            retries=NEVER,
            preload_content=False,
            decode_content=False,
            pool_timeout=int(target.read_timeout),
            timeout=urllib3.Timeout(connect=target.connect_timeout, read=target.read_timeout),
        )


def _next(target: Target, url: str, location: str) -> str:
    """Where a redirect leads: http or https only, never down from https."""
    if not location or not location.isprintable():
        raise UpstreamBadAnswer(f"Upstream {target.name} redirects to nowhere.", upstream=target.name, cause="redirect")
    try:
        following = urljoin(url, location)
        scheme, host, _ = origin_of(following)
    except ValueError:
        host = scheme = ""
    downgraded = urlsplit(url).scheme == "https" and scheme == "http"
    if scheme not in {"http", "https"} or not host or downgraded or "@" in urlsplit(following).netloc:
        raise UpstreamForbiddenAddress(f"Upstream {target.name} redirected to a forbidden address.", upstream=target.name, cause="redirect")
    return following


@contextlib.contextmanager
def _translated(upstream: str, watch: Watch) -> Iterator[None]:
    """urllib3's and the socket's errors as ours; what the upstream sent is never repeated."""
    try:
        yield
    except AddressForbidden:
        raise UpstreamForbiddenAddress(
            f"Upstream {upstream} leads to an address that is not public; an operator can allow it with ALLOWED_PRIVATE_NETWORKS.",
            upstream=upstream,
        ) from None
    except NewConnectionError as error:  # refused or no such name; urllib3 counts it among its time-outs
        raise _unreachable(upstream, error) from None
    except (Urllib3Timeout, TimeoutError) as error:
        cause = "connect" if isinstance(error, ConnectTimeoutError) else "answer"
        raise UpstreamTimeout(f"Upstream {upstream} did not answer in time.", upstream=upstream, cause=cause) from None
    except (HTTPError, OSError) as error:
        if watch.is_over:
            raise UpstreamTimeout(f"Upstream {upstream} did not answer in time.", upstream=upstream, cause="answer") from None
        raise _unreachable(upstream, error) from None


def _unreachable(upstream: str, error: Exception) -> UpstreamUnreachable:
    cause, words = cause_of(error)
    return UpstreamUnreachable(f"Upstream {upstream} cannot be reached ({words}).", upstream=upstream, retry_after=30, cause=cause)
