"""At least 99 % of the GETs of a real npm's install are answered by the thin path."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from tests.parts.clients import Client
from tests.parts.gate import Gate
from tests.parts.recorder import Recorder

PACKAGES = 30


class Counting(ThreadingHTTPServer):
    """Hands every request on to `target`, byte for byte, and counts which path answered."""

    daemon_threads = True

    def __init__(self, target: str) -> None:
        super().__init__(("127.0.0.1", 0), _Hands)
        self.target = urlsplit(target)
        self.counted: Counter[str] = Counter()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Hands(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counting

    def do_GET(self) -> None:
        """Ask the target with the client's own headers, the Host included."""
        target = HTTPConnection(self.server.target.hostname or "", self.server.target.port, timeout=60)
        target.request("GET", self.path, headers={**dict(self.headers.items()), "Connection": "close"})
        answer = target.getresponse()
        body = answer.read()
        self.server.counted[answer.headers.get("x-gatehouse-path", f"slow {answer.status} {self.path}")] += 1
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in {"connection", "transfer-encoding", "content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        target.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silence."""


@pytest.fixture
def counting(gate: Gate) -> Iterator[Counting]:
    proxy = Counting(gate.url)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield proxy
    proxy.shutdown()
    proxy.server_close()


@pytest.mark.npm
def test_an_install_is_hot(gate: Gate, recorder: Recorder, counting: Counting, npm: Callable[..., Client]) -> None:
    place = gate.workspace()
    names = [f"part-{number}" for number in range(PACKAGES)]
    for name in names:
        recorder.add(name)
    place.upstream(recorder)
    registry = f"{counting.url}{place.path}/"
    manifest = json.dumps({"name": "app", "version": "1.0.0", "dependencies": dict.fromkeys(names, "1.0.0")})
    first = npm(place, "rita", registry=registry, home="first")
    (first.project / "package.json").write_text(manifest)
    first.run("install", "--no-audit", "--no-fund")
    counting.counted.clear()
    again = npm(place, "rita", registry=registry, home="again")
    (again.project / "package.json").write_text(manifest)
    again.run("install", "--no-audit", "--no-fund")
    total, hot = sum(counting.counted.values()), counting.counted["hot"]
    assert total >= 2 * PACKAGES
    assert hot >= 0.99 * total, counting.counted
