"""A bare Git repository made by a test, and a server that gives it away over smart HTTP with a password."""

import base64
import json
import os
import ssl
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

CLEAN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
Files = Mapping[str, object]  # text, bytes, or what becomes JSON; None takes a file away


@dataclass
class Repository:
    """A working folder with a bare repository beside it; every commit is pushed there at once."""

    folder: Path
    clock: int = 1_700_000_000  # of the next commit; each one is a minute later
    people: dict[str, str] = field(
        default_factory=lambda: {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    )

    def __post_init__(self) -> None:
        self.work, self.bare = self.folder / "work", self.folder / "modules.git"
        self.work.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), cwd=self.folder)
        self.git("init", "--quiet", "--initial-branch=main", ".")

    def git(self, *words: str, cwd: Path | None = None) -> str:
        """Run git; what it printed."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **CLEAN, **self.people}
        env |= {"GIT_AUTHOR_DATE": f"{self.clock} +0000", "GIT_COMMITTER_DATE": f"{self.clock} +0000"}
        done = subprocess.run(["git", *words], cwd=cwd or self.work, env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: Files, *, branch: str = "main") -> str:
        """A commit on a branch, made where there is none yet; its id."""
        known = self.git("branch", "--list", branch)
        current = self.git("symbolic-ref", "--short", "HEAD")
        if current != branch:
            self.git("checkout", "--quiet", *([] if known else ["-b"]), branch)
        for path, content in files.items():
            self._write(self.work / path, content)
        self.git("add", "-A", "-f")
        self.git("commit", "--quiet", "--allow-empty", "-m", "a commit")
        self.clock += 60
        self.git("push", "--quiet", "--force", str(self.bare), branch)
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, *, at: str = "HEAD") -> None:
        """Put a tag, there or somewhere else than before."""
        self.git("tag", "--force", "-a", "-m", "a tag", name, at)
        self.git("push", "--quiet", "--force", str(self.bare), f"refs/tags/{name}")

    def version(self, commit: str) -> str:
        """The version a branch's head has."""
        at = self.git("show", "-s", "--date=format-local:%Y%m%d%H%M%S", "--format=%cd", commit)
        return f"0.0.0-git.{at}.{commit[:12]}"

    @staticmethod
    def _write(path: Path, content: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2), encoding="utf-8")


class GitServer:
    """Smart HTTP by `git http-backend`, which every Git has. Remembers who asked for what."""

    def __init__(
        self,
        root: Path,
        *,
        username: str = "",
        password: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.root = root
        self.wanted = "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode() if password else ""
        self.seen: list[tuple[str, str]] = []  # path, Authorization
        self.status = 0  # answered instead of anything else
        self.leads_to = "http://127.0.0.1:1"  # where such an answer points
        self._server = _Server((host, port), _Handler)
        self._server.owner = self
        self._scheme = "http" if context is None else "https"
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Its base address."""
        return f"{self._scheme}://{self._server.server_address[0]!s}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the port."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: GitServer


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        owner = self.server.owner
        authorization = self.headers.get("Authorization", "")
        owner.seen.append((self.path, authorization))
        if owner.status:
            self._say(owner.status, {"Location": owner.leads_to + self.path})
        elif owner.wanted and authorization != owner.wanted:
            self._say(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._backend(owner)

    do_POST = do_GET  # noqa: N815 - the name http.server calls

    def _say(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _backend(self, owner: GitServer) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = self._chunks()
        env = {
            "PATH": os.environ["PATH"], **CLEAN, "GIT_PROJECT_ROOT": str(owner.root), "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "CONTENT_LENGTH": str(len(body)),
        }  # fmt: skip
        done = subprocess.run(["git", "http-backend"], env=env, input=body, capture_output=True, timeout=60, check=False)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self._say(int(headers.pop("Status", "200").split()[0]), headers, rest)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own word
        """Nothing on the terminal."""
