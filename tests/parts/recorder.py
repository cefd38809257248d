"""An npm registry on loopback that writes down everything it is asked, and misbehaves on request."""

import base64
import contextlib
import gzip
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from tests.parts import questions
from tests.parts.pack import Packed
from tests.parts.pack import pack as make

ABBREVIATED = "application/vnd.npm.install-v1+json"
SLIM = frozenset(
    {"name", "version", "dist", "dependencies", "optionalDependencies", "peerDependencies", "bin", "engines", "os", "cpu", "deprecated"}
)


@dataclass(frozen=True)
class Seen:
    """One request as it arrived; `path` raw, header names lower-cased."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    at: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """The package it was about, decoded and lower-cased; '' for none."""
        plain = unquote(urlsplit(self.path).path).strip("/").lower()
        plain = plain.removeprefix("-/package/").partition("/-/")[0].partition("/dist-tags")[0]
        return "/".join(plain.split("/")[: 2 if plain.startswith("@") else 1])

    @property
    def is_tarball(self) -> bool:
        """Whether it asked for bytes."""
        return self.path.endswith(".tgz")

    @property
    def is_audit(self) -> bool:
        """Whether it asked what is known against versions."""
        return "/-/npm/v1/security/" in self.path

    @property
    def is_search(self) -> bool:
        """Whether it searched."""
        return urlsplit(self.path).path.endswith("/-/v1/search")

    @property
    def text(self) -> str:
        """Everything of it as text: where a leak would show."""
        body = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return f"{unquote(self.path)} {json.dumps(self.headers)} {body.decode('utf-8', 'replace')}"


@dataclass
class Offer:
    """A package as the recorder offers it."""

    versions: dict[str, Packed] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    dist: dict[str, dict[str, Any]] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)


Fault = Callable[["Handler", Callable[[], None]], None]


class Recorder:
    """Start it, `add` packages, ask `asked(name)` what arrived. Use as a context manager."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.seen: list[Seen] = []
        self.offers: dict[str, Offer] = {}
        self.faults: dict[tuple[str, str], Fault] = {}
        self.answers: dict[str, object] = {}  # by decoded path: what is no package, as JSON
        self.wanted_authorization = ""
        self.advisories: dict[str, list[dict[str, Any]]] = {}
        self.audits = {"bulk"}  # the forms of audit it answers: bulk, quick
        self.searches = True
        self.over = threading.Event()
        self._server = Server((host, port), Handler, self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its base address, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port: from now on connections are refused."""
        self.over.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._server.hang_up()

    def add(self, name: str, *versions: str, tag: str = "latest", **manifest: Any) -> list[Packed]:
        """Offer a package in these versions (default 1.0.0); the last one gets the tag."""
        return [self.offer(make(name, version, **manifest), tag=tag) for version in versions or ("1.0.0",)]

    def offer(self, packed: Packed, *, tag: str = "latest", **dist: Any) -> Packed:
        """Offer one packed version; `dist` overrides what its `dist` says (integrity, tarball …)."""
        offer = self.offers.setdefault(packed.name, Offer())
        offer.versions[packed.version] = packed
        offer.tags[tag] = packed.version
        offer.dist[packed.version] = dist
        offer.times[packed.version] = f"2024-01-{min(len(offer.versions), 28):02d}T00:00:00.000Z"
        return packed

    def remove(self, name: str) -> None:
        """No longer offer it."""
        self.offers.pop(name, None)

    def misbehave(self, name: str, fault: Fault, *, where: str = "packument") -> None:
        """Meet every request for `name` ("*" is any) with `fault`; `where` is packument, tarball, audit or search."""
        self.faults[name, where] = fault

    def behave(self) -> None:
        """End all faults."""
        self.faults.clear()

    def demand(self, scheme: str, username: str = "", *, secret: str) -> None:
        """Answer 401 to whoever does not bring these credentials (bearer or basic)."""
        basic = base64.b64encode(f"{username}:{secret}".encode()).decode()
        self.wanted_authorization = f"Bearer {secret}" if scheme == "bearer" else f"Basic {basic}"

    def asked(self, name: str, *, tarball: bool | None = None) -> list[Seen]:
        """The requests about `name`, in any spelling; all of them, or only (not) for bytes."""
        return [one for one in list(self.seen) if one.name == name.lower() and tarball in {None, one.is_tarball}]

    def mentions(self, word: str) -> list[Seen]:
        """Every request with `word` anywhere in its address or a header: how a leak of any kind is found."""
        return [one for one in list(self.seen) if word.lower() in one.text.lower()]

    def audited(self) -> dict[str, list[str]]:
        """Every name that was audited here, with its versions."""
        found: dict[str, list[str]] = {}
        for one in list(self.seen):
            if one.is_audit and one.body:
                asked = json.loads(one.body)
                pairs = {name: [node["version"]] for name, node in asked["dependencies"].items()} if one.path.endswith("quick") else asked
                found |= {name: sorted({*found.get(name, ()), *versions}) for name, versions in pairs.items()}
        return found

    def warn_of(self, name: str, vulnerable: str = "*", *, number: int = 1, severity: str = "high") -> None:
        """Know an advisory against versions of a package."""
        told = {
            "id": number,
            "url": f"https://registry.example.org/advisories/{number}",
            "title": f"{name} is unsafe",
            "severity": severity,
        }
        score = {"score": 7.5, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}
        self.advisories.setdefault(name, []).append({**told, "vulnerable_versions": vulnerable, "cwe": ["CWE-1"], "cvss": score})

    def forget(self) -> None:
        """Start a new page."""
        self.seen.clear()

    def document(self, name: str, *, slim: bool = False) -> dict[str, Any]:
        """The packument as it is sent."""
        offer = self.offers[name]
        versions = {version: self._manifest(name, version) for version in offer.versions}
        if slim:
            versions = {version: {key: one[key] for key in one if key in SLIM} for version, one in versions.items()}
            return {"name": name, "dist-tags": offer.tags, "versions": versions, "modified": max(offer.times.values())}
        times = {"created": min(offer.times.values()), "modified": max(offer.times.values()), **offer.times}
        return {"_id": name, "_rev": "1-0", "name": name, "dist-tags": offer.tags, "versions": versions, "time": times, "maintainers": []}

    def _manifest(self, name: str, version: str) -> dict[str, Any]:
        offer = self.offers[name]
        packed = offer.versions[version]
        dist = {"tarball": f"{self.url}/{name}/-/{packed.filename}", "integrity": packed.integrity, "shasum": packed.shasum}
        return {**packed.manifest, "_id": f"{name}@{version}", "dist": {**dist, **offer.dist[version]}}


class Server(ThreadingHTTPServer):
    """A thread for each connection, all gone with the test."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type["Handler"], recorder: Recorder) -> None:
        self.recorder = recorder
        self._open: set[socket.socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember who is connected: clients keep their connections."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget who left."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End every conversation, as a machine that goes down does."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    """One conversation with the recorder."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        """Write it down, then answer or misbehave."""
        recorder = self.server.recorder
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        seen = Seen(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body)
        recorder.seen.append(seen)
        where = next((kind for kind in ("tarball", "audit", "search") if getattr(seen, f"is_{kind}")), "packument")
        fault = recorder.faults.get((seen.name, where)) or recorder.faults.get(("*", where))
        if recorder.wanted_authorization and seen.headers.get("authorization") != recorder.wanted_authorization:
            self.send(401, b'{"error":"credentials"}')
        elif fault is not None:
            fault(self, partial(self._answer, recorder, seen))
        else:
            self._answer(recorder, seen)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the names http.server calls

    def send(self, status: int, body: bytes, **headers: str) -> None:
        """Answer with a body; header names with `_` for `-`."""
        self.send_response(status)
        for key, value in {"content_type": "application/json", "content_length": str(len(body)), **headers}.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """Nothing on the terminal: `seen` is the log."""

    def _answer(self, recorder: Recorder, seen: Seen) -> None:
        if seen.is_audit or seen.is_search:
            answer = questions.audit(recorder, seen) if seen.is_audit else questions.search(recorder, seen)
            return self.send(404, b'{"error":"Not found"}') if answer is None else self.send(200, json.dumps(answer).encode())
        if (path := unquote(self.path)) in recorder.answers:
            return self.send(200, json.dumps(recorder.answers[path]).encode())
        plain = unquote(urlsplit(self.path).path).strip("/").partition("/-/")[0]
        offer = recorder.offers.get(plain)  # names differ by case, as at every npm registry
        if offer is None:
            return self.send(404, b'{"error":"Not found"}')
        packed = next((one for one in offer.versions.values() if unquote(self.path).rpartition("/")[2] == one.filename), None)
        if seen.is_tarball:
            return self.send(200, packed.tarball, content_type="application/octet-stream") if packed else self.send(404, b"{}")
        return self._packument(recorder, plain)

    def _packument(self, recorder: Recorder, name: str) -> None:
        slim = ABBREVIATED in self.headers.get("Accept", "")
        body = json.dumps(recorder.document(name, slim=slim)).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        if self.headers.get("If-None-Match") == etag:
            return self.send(304, b"", etag=etag)
        kind = ABBREVIATED if slim else "application/json"
        if "gzip" in self.headers.get("Accept-Encoding", ""):
            return self.send(
                200, gzip.compress(body), etag=etag, content_type=kind, content_encoding="gzip", vary="accept, accept-encoding"
            )
        return self.send(200, body, etag=etag, content_type=kind, vary="accept, accept-encoding")
