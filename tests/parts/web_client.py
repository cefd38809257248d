"""A small HTTP client for tests: the path goes out byte for byte, each request on a connection of its own.

No redirects, no retries, no encodings; the operating system spreads the connections over the worker processes.
"""

import json
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.client import HTTPMessage as Headers
from typing import Any
from urllib.parse import urlsplit

SECONDS = 60
BROKEN = (HTTPException, OSError)  # what a connection that breaks in the middle raises


@dataclass(frozen=True)
class Answer:
    """What came back; `json()` reads the body."""

    status: int
    body: bytes
    headers: Headers

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def __str__(self) -> str:
        return f"{self.status} {self.text[:600]}"


@dataclass(frozen=True)
class Caller:
    """Somebody who asks: a base address and an Authorization header."""

    url: str
    authorization: str = ""

    def request(self, method: str, path: str, *, body: object = None, headers: dict[str, str] | None = None) -> Answer:
        """Send it. A dict or list goes as JSON, bytes and str as they are; the path is not touched."""
        sent = {
            "authorization": self.authorization,
            "connection": "close",
            **{key.lower(): value for key, value in (headers or {}).items()},
        }
        if isinstance(body, dict | list):
            body, sent = json.dumps(body).encode(), {"content-type": "application/json", **sent}
        content = body.encode() if isinstance(body, str) else body
        base = urlsplit(self.url)
        connection = HTTPConnection(base.hostname or "", base.port, timeout=SECONDS)
        try:
            connection.request(method, base.path + path, body=content, headers={key: value for key, value in sent.items() if value})  # type: ignore[arg-type]
            reply = connection.getresponse()
            return Answer(reply.status, reply.read(), reply.headers)
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        """GET; header names with `_` for `-`."""
        return self.request("GET", path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def head(self, path: str) -> Answer:
        """HEAD."""
        return self.request("HEAD", path)

    def put(self, path: str, body: object = None) -> Answer:
        """PUT."""
        return self.request("PUT", path, body=body)

    def post(self, path: str, body: object = None) -> Answer:
        """POST."""
        return self.request("POST", path, body=body)

    def patch(self, path: str, body: object = None) -> Answer:
        """PATCH."""
        return self.request("PATCH", path, body=body)

    def delete(self, path: str, body: object = None) -> Answer:
        """DELETE."""
        return self.request("DELETE", path, body=body)


def basic(username: str, password: str) -> str:
    """A Basic header's value."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()
