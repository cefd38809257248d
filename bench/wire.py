"""The least an HTTP/1.1 client can be: one connection, a request in one piece, the status. Python's own costs 0.3 ms a request."""

import socket
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from bench.peers import Peer

PATIENCE = 60.0  # seconds


class Broken(Exception):
    """The server went away, or says something this client does not read."""


class Wire:
    """A connection to one server. A context manager."""

    def __init__(self, peer: Peer) -> None:
        at = urlsplit(peer.url)
        self._peer, self._host = peer, at.netloc
        self._socket = socket.create_connection((at.hostname, at.port), timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._socket.close()

    def put(self, path: str, body: bytes) -> int:
        """The status of one PUT of JSON. Raises OSError, Broken."""
        lines = (
            f"PUT {path} HTTP/1.1",
            f"Host: {self._host}",
            f"Authorization: Bearer {self._peer.token}",
            "Content-Type: application/json",
            "npm-command: publish",
            f"Content-Length: {len(body)}",
        )
        self._socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return self._status()

    def _status(self) -> int:
        """Read one answer whole."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *fields = head.split(b"\r\n")
        named = {name.lower(): value.strip() for name, _, value in (field.partition(b":") for field in fields)}
        if b"content-length" not in named:
            raise Broken("an answer without its length")
        while len(body) < int(named[b"content-length"]):
            body += self._more()
        return int(status.split(b" ")[1])

    def _more(self) -> bytes:
        piece = self._socket.recv(65536)
        if not piece:
            raise Broken("the connection was closed")
        return piece
