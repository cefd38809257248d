"""Something on loopback that answers HTTP as it is told, with or without TLS: what people take for a registry, and what is one."""

import json
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

PAGE = b"<!doctype html><html><title>Sign in</title></html>"


@dataclass(frozen=True)
class Reply:
    """One answer; a body that is not bytes goes as JSON."""

    status: int = 200
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0  # seconds it lets the asker wait

    @property
    def content(self) -> bytes:
        """The body's bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Website:
    """Answers by path, else with `otherwise`; `asked` holds every path, `authorizations` what came with it."""

    def __init__(
        self, answers: Mapping[str, Reply] | None = None, otherwise: Reply | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.answers, self.otherwise = answers or {}, otherwise or Reply(404, {"error": "not found"})
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.over = threading.Event()
        self.scheme = "https" if tls else "http"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (_Handler,), {"site": self}))
        self._server.daemon_threads, self._server.block_on_close = True, False
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    site: Website

    def do_GET(self) -> None:
        """Write it down, and answer."""
        self.site.asked.append(self.path)
        self.site.authorizations.append(self.headers.get("Authorization", ""))
        reply = self.site.answers.get(self.path, self.site.otherwise)
        self.site.over.wait(reply.after)
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """Nothing on the terminal."""
