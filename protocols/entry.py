"""The one ASGI entry: hot answers on the event loop, bodies received in full, Django behind a bridge of threads.

Shape and reasons: docs/adr/0002. A slow client holds a coroutine, never a thread; a body cut off half-way
never reaches a view.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

import orjson

from protocols import observation
from protocols.bodies import BodyRefused, ClientGone, receive_body
from protocols.bridge import Bridge, send_response
from protocols.cold import ColdPath
from protocols.hot import EMPTY, HOST, HotPath
from protocols.observation import observe_hot
from protocols.outside import Headers, headers_of, outside
from protocols.told import Told
from workspaces.slugs import RESERVED

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
READING = frozenset({"GET", "HEAD"})
LEAN = re.compile(rf"/(?!(?:{'|'.join(sorted(RESERVED))})/)[^/]+/(?:r|npm|oci|m)/|/v2/|/-/npm/")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

log = logging.getLogger(__name__)


class Entry:
    """The ASGI application. `lean` and `full` are Django's handlers for package clients and for people."""

    def __init__(self, *, lean: Bridge, full: Bridge) -> None:
        self._lean, self._full = lean, full
        self._hot: HotPath | None = None
        self._cold: ColdPath | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (or the server's own start and stop)."""
        begun = perf_counter()
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        if scope["type"] != "http":
            return
        method = scope["method"]
        if method in READING:
            if self._hot is None:
                self._hot = HotPath()
            answer = await self._hot.answer(scope)
            if answer is not None:
                await send(answer.start)
                await send(answer.body if method == "GET" else EMPTY)
                observe_hot(answer.noted(scope, begun))
                return
        await self._slowly(scope, begun, receive, send)

    async def _slowly(self, scope: Scope, begun: float, receive: Receive, send: Send) -> None:
        """Whatever the hot path does not know; noted in the log whatever comes of it."""
        headers, told = headers_of(scope), Told(send, begun)
        scheme, ip = outside(scope, headers)
        try:
            if not (scope["method"] == "GET" and self._hot is not None and await self._at_first_sight(scope, self._hot, receive, told)):
                await self._refuse_or_pass(scope, headers, (scheme, ip, told.number), receive, told)
        finally:
            told.observe(scope, ip, headers.get("user-agent", ""))

    async def _at_first_sight(self, scope: Scope, hot: HotPath, receive: Receive, send: Told) -> bool:
        """Whether the path for unknown names has answered."""
        if self._cold is None:
            self._cold = ColdPath(hot.reader)
        answer = await self._cold.answer(scope)
        if answer is None:
            return False
        await send_response(*answer, receive, send)
        return True

    async def _refuse_or_pass(self, scope: Scope, headers: Headers, seen: tuple[str, str, str], receive: Receive, send: Told) -> None:
        if scope["method"] not in METHODS:
            await _refuse(send, 405, "This method is not known here.", "method_not_allowed", {"Allow": ", ".join(sorted(METHODS))})
            return
        if not HOST.fullmatch(headers.get("host", "")):
            await _refuse(send, 400, "The Host header is no host name with a port.", "bad_host")
            return
        if CONTROL.search(scope["path"]):
            await _refuse(send, 400, "The address holds control characters.", "bad_address")
            return
        await self._through_django(scope, headers, seen, receive, send)

    async def _through_django(self, scope: Scope, headers: Headers, seen: tuple[str, str, str], receive: Receive, send: Told) -> None:
        bridge = self._lean if LEAN.match(scope["path"]) else self._full
        try:
            body = await receive_body(scope, headers, seen[1], receive, admit=bridge.admit)
        except ClientGone:  # who only stopped sending may still be listening; without an answer the server says 500
            await _refuse(send, 400, "The body was cut off before its end; nothing was changed.", "body_cut_off")
            return
        except BodyRefused as refusal:
            await _refuse(send, refusal.status, refusal.sentence, refusal.code, refusal.headers)
            return
        try:
            await bridge.serve(scope, headers, seen, body, receive, send)
        except Exception:
            log.exception("request %s failed", seen[2])
            if not send:
                await _refuse(send, 500, f"Internal error; the log has it under {seen[2]}.", "internal_error")
        finally:
            await body.close()


async def _refuse(send: Send, status: int, sentence: str, code: str, headers: Headers | None = None) -> None:
    body = orjson.dumps({"error": sentence, "message": sentence, "code": code})
    raw = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    raw += [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            observation.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await asyncio.to_thread(observation.stop)
            await send({"type": "lifespan.shutdown.complete"})
            return
