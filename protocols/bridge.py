"""Django's WSGI handler behind the ASGI entry: a fixed pool of threads makes responses, the event loop sends them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import orjson
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.http.response import HttpResponseBase

from protocols.bodies import Body, BodyRefused, Sink
from protocols.inthread import in_thread
from protocols.told import ENVIRON
from protocols.wire import FileAnswer, TailAnswer, shown_path
from upstreams.spool import SpoolBroken, Tail

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = dict[str, str]
Gatekeeper = Callable[[str, str, Headers, str], HttpResponse | Sink | int]  # the refusal, where the body goes, or how many bytes may come

PIECE = 256 * 1024
KEPT = frozenset({"www-authenticate", "retry-after", "allow", "location"})  # headers of a refusal
QUIET = (0.002, 0.05)  # seconds a follower waits for more bytes: at first, at most
PATIENCE = 330.0  # seconds without a byte before a follower gives up

log = logging.getLogger("gatehouse.requests")


class Bridge:
    """One Django handler. `gatekeeper` may refuse a request before its body is received."""

    def __init__(self, handler: WSGIHandler, gatekeeper: Gatekeeper | None = None) -> None:
        self._handler, self._gatekeeper = handler, gatekeeper

    async def admit(self, method: str, path: str, headers: Headers, ip: str) -> BodyRefused | Sink | int:
        """How many bytes the sender may send here, where they go, or the refusal."""
        if self._gatekeeper is None:
            return int(settings.SMALL_BODY_LIMIT)
        gatekeeper = self._gatekeeper
        answer = await in_thread(lambda: gatekeeper(method, path, headers, ip))
        if not isinstance(answer, HttpResponse):
            return answer
        return _Refusal(answer, {name: value for name, value in answer.headers.items() if name.lower() in KEPT})

    async def serve(
        self, scope: Message, headers: Headers, outside: tuple[str, str, str], body: Body, receive: Receive, send: Send
    ) -> None:
        """Make the response in a thread and send it."""
        environ = scope[ENVIRON] = make_environ(scope, headers, outside, body)
        begun = time.monotonic()
        response, content = await in_thread(lambda: self._respond(environ))
        response.headers["X-Request-ID"] = outside[2]
        _watch(scope, response, begun)
        await send_response(response, content, receive, send, with_body=scope["method"] != "HEAD")

    def _respond(self, environ: dict[str, Any]) -> tuple[HttpResponseBase, bytes | None]:
        """Run Django; its database connection is given back before the first byte is sent."""
        response = self._handler(environ, _no_start)
        assert isinstance(response, HttpResponseBase)  # noqa: S101 - no wsgi.file_wrapper in our environ
        content = response.content if isinstance(response, HttpResponse) else None
        if content is not None and response.status_code != 304 and "Content-Length" not in response.headers:  # noqa: PLR2004
            response.headers["Content-Length"] = str(len(content))
        if content is not None or isinstance(response, FileAnswer | TailAnswer):
            response.close()
        return response, content


class _Refusal(BodyRefused):
    """A door's own error response, to be sent instead of reading the body."""

    def __init__(self, response: HttpResponse, headers: Headers) -> None:
        told = orjson.loads(response.content)
        super().__init__(response.status_code, str(told.get("error", "")), str(told.get("code", "")), headers)


def make_environ(scope: Message, headers: Headers, outside: tuple[str, str, str], body: Body) -> dict[str, Any]:
    """A WSGI environ (PEP 3333) whose body is whole, whatever its transfer encoding was."""
    scheme, ip, request_id = outside
    server = scope.get("server") or ("localhost", "80")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogatepass").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": ip,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(body.length),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scheme,
        "wsgi.input": body.file,
        "wsgi.errors": _Errors(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "gatehouse.request_id": request_id,
        "gatehouse.sink": body.sink,
    }
    skipped = {"content-type", "content-length", "transfer-encoding", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
    for name, value in headers.items():
        if name not in skipped:
            environ["HTTP_" + name.upper().replace("-", "_")] = value
    return environ


class _Errors:
    """wsgi.errors: into the log."""

    def write(self, text: str) -> None:
        if text.strip():
            log.error(text.strip())

    def flush(self) -> None:
        """Nothing is held back."""


def _no_start(status: str, headers: list[tuple[str, str]], error: object = None) -> Callable[[bytes], object]:  # noqa: ARG001
    return lambda _: None


async def send_response(response: HttpResponseBase, content: bytes | None, receive: Receive, send: Send, *, with_body: bool = True) -> None:
    """Send it; `content`: its body, where that is not read while it is sent."""
    try:
        await _send(response, content, receive, send, with_body=with_body)
    finally:
        if isinstance(response, TailAnswer):
            response.tail.close()


async def _send(response: HttpResponseBase, content: bytes | None, receive: Receive, send: Send, *, with_body: bool) -> None:
    raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    raw += [(b"set-cookie", morsel.OutputString().encode("latin-1")) for morsel in response.cookies.values()]
    if isinstance(response, TailAnswer) and with_body:
        await _follow(response.tail, raw, receive, send)
        return
    await send({"type": "http.response.start", "status": response.status_code, "headers": raw})
    if not with_body or content is not None:
        await send({"type": "http.response.body", "body": content if with_body and content is not None else b""})
    elif isinstance(response, FileAnswer) and response.whole:
        await send({"type": "http.response.pathsend", "path": str(response.path)})
    else:
        await _stream(iter(response), send)
        response.close()


async def _stream(pieces: Iterator[bytes], send: Send) -> None:
    """A file range, or one of Django's own streaming responses."""
    while (piece := await in_thread(lambda: next(pieces, None))) is not None:
        await send({"type": "http.response.body", "body": bytes(piece), "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _follow(tail: Tail, raw: list[tuple[bytes, bytes]], receive: Receive, send: Send) -> None:
    """Read behind the writer, until the end, the break, or the client's leaving."""
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    gone = asyncio.ensure_future(_disconnected(receive))
    wait, last = QUIET[0], time.monotonic()
    try:
        while not gone.done() and time.monotonic() - last < PATIENCE:
            piece = tail.read(PIECE)
            if piece == b"":
                await send({"type": "http.response.body", "body": b""})
                return
            if piece is None:
                await asyncio.sleep(wait)
                wait = min(wait * 2, QUIET[1])
                continue
            wait, last = QUIET[0], time.monotonic()
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except SpoolBroken:
        log.warning("a download was broken off: its upstream failed or sent wrong bytes")
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
    # Leaving without a last piece makes the server break the connection, chunked or not (granian 2.8, seen on
    # the wire): an answer that is not whole must not look whole.


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _watch(scope: Message, response: HttpResponseBase, begun: float) -> None:
    """In development, say which requests are slow; always, which ones failed."""
    took = (time.monotonic() - begun) * 1000
    if settings.GATEHOUSE_ENV == "development" and took > settings.LATENCY_ERROR_MS:
        log.warning("%s %s took %d ms", scope["method"], shown_path(scope["path"]), took)
    if response.status_code >= 500:  # noqa: PLR2004 - HTTP
        request_id = response.headers["X-Request-ID"]
        log.warning("%s %s answered %d, request %s", scope["method"], shown_path(scope["path"]), response.status_code, request_id)
