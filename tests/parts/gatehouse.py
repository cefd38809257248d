"""Gatehouse itself as a live server: two worker processes on a free port, its own data, ended by its group."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import urllib3

from tests.parts import ROOT
from tests.parts.process import HOST, NotReady, Process, free_port

ADMIN, PASSWORD = "admin", "correct-horse-battery"
KEPT = frozenset({"PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE"})


@dataclass
class Gatehouse:
    """One installation. `env` adds to or replaces what the tests give it."""

    folder: Path
    database_url: str = ""
    npm_upstream_url: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    workers: int = 2
    head_limit: int = 20_000  # milliseconds for the head of a request, as `manage.py serve` has it

    def __post_init__(self) -> None:
        self.port = free_port()
        self.data = self.folder / "data"
        self.data.mkdir(parents=True, exist_ok=True)
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://{HOST}:{self.port}"

    def environment(self) -> dict[str, str]:
        """What it is started with; nothing of the caller's own set-up leaks in."""
        own = {key: value for key, value in os.environ.items() if key in KEPT}
        given = {
            "GATEHOUSE_ENV": "testing",
            "DJANGO_SETTINGS_MODULE": "tests.parts.short_limits",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "HOST": HOST,
            "PORT": str(self.port),
            "DATA_DIR": str(self.data),
            "DATABASE_URL": self.database_url,
            "ADMIN_USERNAME": ADMIN,
            "ADMIN_PASSWORD": PASSWORD,
            "NPM_UPSTREAM_URL": self.npm_upstream_url,
            "ALLOWED_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        return {key: value for key, value in {**own, **given, **self.env}.items() if value}

    def start(self) -> None:
        """Migrate, bootstrap, serve; returns when the first page answers."""
        self.manage("migrate", "--verbosity", "0")
        self.manage("bootstrap")
        self.serve()

    def serve(self) -> None:
        """Only the web server, on the data that is there."""
        words = [sys.executable, "-m", "config.web", "--interface", "asgi", "--http", "1", "--no-ws", "--host", HOST, "--port", self.port]
        words += ["--workers", self.workers, "--workers-kill-timeout", 3, "--log-level", "warning"]
        words += ["--http1-header-read-timeout", self.head_limit]
        words += ["config.asgi:application"]
        self.process = Process(words, log=self.folder / "gatehouse.log", env=self.environment(), cwd=ROOT)
        self.process.start(self._answers, seconds=90)

    def stop(self) -> None:
        """End it and everything it started."""
        if self.process is not None:
            self.process.stop()

    def kill(self) -> None:
        """As a power cut would: SIGKILL to the whole group."""
        import signal

        if self.process is not None:
            self.process.stop(signal.SIGKILL)

    def manage(self, *words: str) -> str:
        """Run `manage.py`; its output. Raises NotReady with what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise NotReady(f"manage.py {words[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout

    def log(self) -> str:
        """Everything it wrote."""
        return self.process.log.read_text(encoding="utf-8", errors="replace") if self.process else ""

    def _answers(self) -> bool:
        try:
            urllib3.request("GET", f"{self.url}/healthz", timeout=5, retries=False)
        except urllib3.exceptions.HTTPError:
            return False
        return True
