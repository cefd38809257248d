"""The registry above everybody: ready bytes by path, on loopback. Gatehouse and the peer pull from it once."""

import gzip
import hashlib
import json
import threading
from dataclasses import dataclass
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote, urlsplit

from bench import packages
from bench.kept import HERE, Kept
from tests.parts.pack import Packed


@dataclass(frozen=True)
class Body:
    """An answer: its bytes (gzip for metadata) and its ETag."""

    content: bytes
    etag: str
    is_packed: bool


class Upstream:
    """Serves the made-up packages of the run and the kept real ones; a context manager."""

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.asked: dict[tuple[str, bool], None] = {}  # (path, whether in the abbreviated form), in order
        self._made: dict[str, bytes] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.body = lru_cache(maxsize=64)(self._body)

    def __enter__(self) -> Self:
        for name in (packages.SMALL, *packages.MIXED):
            self._offer(name, packages.small(name))
        self._offer(packages.HEAVY, [packages.heavy()])
        self._document(packages.LARGE, packages.large_versions())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _body(self, path: str) -> Body | None:
        made = self._made.get(path)
        if "/-/" in path:
            content = made or self.kept.file(path)
            return Body(content, _etag(content), is_packed=False) if content else None
        if made is not None:
            return Body(gzip.compress(made, 1), _etag(made), is_packed=True)
        content = self.kept.document(path)
        if content is None:
            return None
        own = gzip.decompress(content).replace(HERE.encode(), self.url.encode())
        return Body(gzip.compress(own, 1), _etag(content), is_packed=True)

    def _offer(self, name: str, packed: list[Packed]) -> None:
        self._document(name, packages.plain_versions(packed))
        self._made |= {f"{name}/-/{one.filename}": one.tarball for one in packed}

    def _document(self, name: str, versions: dict[str, packages.Document]) -> None:
        self._made[name] = json.dumps(packages.packument(name, versions, self.url)).encode()


def _etag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:24]}"'


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type["_Handler"], upstream: Upstream) -> None:
        self.upstream = upstream
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """The bytes, compressed where asked; 304 to whoever has them."""
        path = unquote(urlsplit(self.path).path)[1:]
        body = self.server.upstream.body(path)
        if body is None:
            return self._send(404, b'{"error": "not here"}', {"Content-Type": "application/json"})
        self.server.upstream.asked[path, body.is_packed and "install-v1" in self.headers.get("Accept", "")] = None
        if self.headers.get("If-None-Match") == body.etag:
            return self._send(304, b"", {"ETag": body.etag})
        if not body.is_packed:
            return self._send(200, body.content, {"ETag": body.etag, "Content-Type": "application/octet-stream"})
        packed = {"ETag": body.etag, "Content-Type": "application/json", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            return self._send(200, body.content, packed)
        return self._send(200, gzip.decompress(body.content), {"ETag": body.etag, "Content-Type": "application/json"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """Nothing on the terminal."""

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)
