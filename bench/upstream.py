"""The registry above everybody: ready bytes by path, on loopback. Gatehouse and the peer pull from it once."""

import gzip
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import unquote

from bench import packages
from tests.parts.pack import Packed


class Upstream:
    """Serves the public packages of the run; a context manager."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

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

    def _offer(self, name: str, packed: list[Packed]) -> None:
        self._document(name, packages.plain_versions(packed))
        self.bodies |= {f"/{name}/-/{one.filename}": one.tarball for one in packed}

    def _document(self, name: str, versions: dict[str, packages.Document]) -> None:
        self.bodies[f"/{name}"] = json.dumps(packages.packument(name, versions, self.url)).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type["_Handler"], upstream: Upstream) -> None:
        self.upstream = upstream
        super().__init__(address, handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        """The bytes, compressed where asked; 304 to whoever has them."""
        body = self.server.upstream.bodies.get(unquote(self.path))
        if body is None:
            return self._send(404, b"{}", {})
        etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
        if self.headers.get("If-None-Match") == etag:
            return self._send(304, b"", {"ETag": etag})
        if self.path.endswith(".tgz"):
            return self._send(200, body, {"ETag": etag, "Content-Type": "application/octet-stream"})
        packed = {"ETag": etag, "Content-Type": "application/json", "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            return self._send(200, gzip.compress(body, 1), packed)
        return self._send(200, body, {"ETag": etag, "Content-Type": "application/json"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """Nothing on the terminal."""

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)
