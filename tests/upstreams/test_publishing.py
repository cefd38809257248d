"""The publish that goes out: never in memory whole, and a refusal that comes early is heard."""

import base64
import json
import threading
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from packages.formats.npm.names import parse_known
from tests.parts.pack import sri
from upstreams.clients.breaker import BREAKERS
from upstreams.clients.guard import parse_network
from upstreams.clients.http import Target
from upstreams.clients.npm_publish import Parcel, publish_version
from upstreams.errors import UpstreamError, UpstreamUnauthorized

SIZE = 48 * 1024 * 1024
MEMORY = 4 * 1024 * 1024
PIECE = KEPT = 512 * 1024


class Sink(BaseHTTPRequestHandler):
    """Takes a body in pieces and keeps its length and its end; or refuses by the head alone."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_PUT(self) -> None:
        """Read it, or do not."""
        length = int(self.headers["Content-Length"])
        if self.server.refuses:
            self.close_connection = True
            self._answer(401)
            return
        kept, left = b"", length
        while left:
            piece = self.rfile.read(min(PIECE, left))
            left -= len(piece)
            kept = (kept + piece)[-KEPT:]
        self.server.took = (length, kept)
        self._answer(201)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """Nothing on the terminal."""


@pytest.fixture
def sink() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    server.refuses, server.took = False, None  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    BREAKERS._counts.clear()
    yield server
    server.shutdown()
    server.server_close()


def target(sink: Any) -> Target:
    return Target(name="sink", url=f"http://127.0.0.1:{sink.server_address[1]}", allowed=(parse_network("127.0.0.0/8"),))


def parcel(path: Path, size: int, **manifest: Any) -> Parcel:
    with path.open("wb") as file:
        file.truncate(size)
    return Parcel(
        name=parse_known("@acme/large"), version="1.0.0", manifest=manifest, tags=("latest",), path=path, size=size,
        integrity=sri(b"whatever"), shasum="0" * 40,
    )  # fmt: skip


def test_a_large_tarball_is_never_in_memory_whole(sink: Any, tmp_path: Path) -> None:
    sent = parcel(tmp_path / "large.tgz", SIZE + 1)
    tracemalloc.start()
    try:
        assert publish_version(target(sink), sent)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    length, end = sink.took
    assert length > SIZE * 4 // 3
    assert end.endswith(b'AA==","length":%d}}}' % (SIZE + 1))
    assert peak < MEMORY, f"{peak:,} bytes"  # the sink's own pieces are in it


@pytest.mark.parametrize("size", [0, 1, 2, 3, 196_607, 196_608, 196_609])
def test_the_length_is_told_beforehand_and_true(sink: Any, tmp_path: Path, size: int) -> None:
    """`the tarball` in a README is no place for the tarball."""
    sent = parcel(tmp_path / "small.tgz", size, readme='say "the tarball" twice: the tarball')
    assert publish_version(target(sink), sent)
    length, body = sink.took
    assert length == len(body)
    document = json.loads(body)
    assert document["_attachments"] == {
        "@acme/large-1.0.0.tgz": {
            "content_type": "application/octet-stream", "data": base64.b64encode(b"\0" * size).decode(), "length": size,
        }
    }  # fmt: skip
    assert document["versions"]["1.0.0"]["readme"].count("the tarball") == 2


def test_a_refusal_by_the_head_is_heard(sink: Any, tmp_path: Path) -> None:
    """The other side answers and hangs up while we still send."""
    sink.refuses = True
    with pytest.raises(UpstreamError) as found:
        publish_version(target(sink), parcel(tmp_path / "large.tgz", SIZE))
    assert isinstance(found.value, UpstreamUnauthorized) or "cannot be reached" in found.value.message
