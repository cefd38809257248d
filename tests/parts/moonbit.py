"""A MoonBit registry on loopback: an index by real Git and over HTTP, zips, credentials, and everything it is asked written down."""

import base64
import gzip
import hashlib
import io
import json
import os
import subprocess
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from tests.parts.recorder import Seen


@dataclass
class Module:
    """One version as it is offered."""

    name: str
    version: str
    content: bytes
    deps: dict[str, str] = field(default_factory=dict)
    yanked: bool = False
    checksum: str = ""

    def line(self) -> str:
        """Its line in the index."""
        told: dict[str, Any] = {"name": self.name, "version": self.version, "deps": self.deps}
        told |= {"checksum": self.checksum or hashlib.sha256(self.content).hexdigest(), "created_at": "2026-01-02T03:04:05+00:00"}
        return json.dumps({**told, "yanked": True} if self.yanked else told)


def zipped(name: str, version: str, **more: str) -> bytes:
    """A module's zip, the same bytes each time."""
    content = io.BytesIO()
    files = {"moon.mod.json": json.dumps({"name": name, "version": version}), "src/lib.mbt": f"// {name} {version}", **more}
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return content.getvalue()


class MoonRegistry:
    """Start it, `add` versions, look at `seen`. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: dict[tuple[str, str], Module] = {}
        self.seen: list[Seen] = []
        self.wanted_authorization = ""
        self.status = 0  # answer everything with it
        self._env = {
            "PATH": os.environ["PATH"],
            "GIT_DIR": str(folder / "index.git"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "registry@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        folder.mkdir(parents=True, exist_ok=True)
        self._git("init", "--bare", "--quiet", "--initial-branch=main", str(folder / "index.git"))
        self._server = _Server(("127.0.0.1", 0), _Handler, self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """From now on connections are refused."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def add(self, name: str, *versions: str, **more: Any) -> list[Module]:
        """Offer versions (0.1.0 without any) and commit the index."""
        made = [Module(name, version, more.get("content") or zipped(name, version), **_rest(more)) for version in versions or ("0.1.0",)]
        self.modules |= {(one.name, one.version): one for one in made}
        self.commit()
        return made

    def yank(self, name: str, version: str) -> None:
        """Withdraw one."""
        self.modules[name, version].yanked = True
        self.commit()

    def demand(self, scheme: str, username: str = "", *, secret: str) -> None:
        """Answer 401 to whoever does not bring these credentials (bearer or basic), for the index as for zips."""
        basic = base64.b64encode(f"{username}:{secret}".encode()).decode()
        self.wanted_authorization = f"Bearer {secret}" if scheme == "bearer" else f"Basic {basic}"

    def asked(self, word: str) -> list[Seen]:
        """The requests with `word` in the decoded address."""
        return [one for one in list(self.seen) if word in unquote(one.path)]

    def zips(self) -> list[str]:
        """The zips that were asked for, as `user/name/version`."""
        return [unquote(one.path).removeprefix("/user/").removesuffix(".zip") for one in self.asked(".zip")]

    def text(self, name: str) -> str | None:
        """The module's lines, a bad one among them."""
        lines = [one.line() for key, one in sorted(self.modules.items()) if key[0] == name]
        return "\n".join([*lines, "no json at all", ""]) if lines else None

    def commit(self) -> None:
        """The index as it is now."""
        lines = ["commit refs/heads/main", "committer registry <registry@example.org> now", "data 0", "deleteall"]
        if self._git("rev-parse", "--verify", "--quiet", "refs/heads/main", check=False):
            lines.insert(3, "from refs/heads/main^0")
        stream = "\n".join(lines).encode() + b"\n"
        for name in sorted({key[0] for key in self.modules}):
            text = (self.text(name) or "").encode()
            stream += f"M 100644 inline user/{name}.index\ndata {len(text)}\n".encode() + text + b"\n"
        self._git("fast-import", "--quiet", "--force", "--date-format=now", send=stream)

    def upload_pack(self, *words: str, send: bytes = b"") -> bytes:
        """What git's own server says."""
        return self._git("upload-pack", "--stateless-rpc", *words, str(self.folder / "index.git"), send=send, check=False)

    def _git(self, *words: str, send: bytes = b"", check: bool = True) -> bytes:
        done = subprocess.run(["git", *words], env=self._env, input=send, capture_output=True, timeout=30, check=False)
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout


def _rest(more: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in more.items() if key != "content"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], handler: type["_Handler"], registry: MoonRegistry) -> None:
        self.registry = registry
        super().__init__(address, handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        registry = self.server.registry
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        registry.seen.append(Seen(self.command, self.path, {key.lower(): value for key, value in self.headers.items()}, body))
        if registry.status:
            return self._send(registry.status, b"no")
        if registry.wanted_authorization and self.headers.get("Authorization") != registry.wanted_authorization:
            return self._send(401, b"no", ("WWW-Authenticate", "Basic"))
        return self._answer(registry, unquote(urlsplit(self.path).path), body)

    do_POST = do_GET  # noqa: N815 - the names http.server calls

    def _answer(self, registry: MoonRegistry, path: str, body: bytes) -> None:
        if path == "/git/index/info/refs":
            refs = registry.upload_pack("--http-backend-info-refs")
            head = b"001e# service=git-upload-pack\n0000"
            return self._send(200, head + refs, ("Content-Type", "application/x-git-upload-pack-advertisement"))
        if path == "/git/index/git-upload-pack":
            sent = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            return self._send(200, registry.upload_pack(send=sent), ("Content-Type", "application/x-git-upload-pack-result"))
        if path.endswith(".index"):
            text = registry.text(path.removeprefix("/user/").removesuffix(".index"))
            return self._send(404, b"") if text is None else self._tagged(text.encode())
        name, _, version = path.removeprefix("/user/").removesuffix(".zip").rpartition("/")
        module = registry.modules.get((name, version))
        return self._send(404, b"") if module is None else self._send(200, module.content, ("Content-Type", "application/zip"))

    def _tagged(self, body: bytes) -> None:
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if self.headers.get("If-None-Match") == etag:
            return self._send(304, b"", ("ETag", etag))
        return self._send(200, body, ("ETag", etag))

    def _send(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for key, value in (("Content-Length", str(len(body))), *headers):
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """`seen` is the log."""
