"""npm and pnpm as people run them: a clean environment, a project of its own, an empty cache each time."""

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from bench.tools import NODE, NPM, PNPM

SECONDS = 600  # a command that takes longer is stuck
QUIET = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error")


@dataclass(frozen=True)
class Command:
    """One way to install. `lock`: "full" (with addresses), "bare" (without), "" (none)."""

    title: str
    tool: Path
    words: tuple[str, ...]
    lock: str = ""


COMMANDS = (
    Command("npm ci, full lock file", NPM, ("ci", *QUIET), "full"),
    Command("npm ci, lock file without addresses", NPM, ("ci", *QUIET), "bare"),
    Command("npm install, no lock file", NPM, ("install", *QUIET)),
    Command("pnpm install, no lock file", PNPM, ("install", "--no-frozen-lockfile", "--ignore-scripts", "--reporter", "silent")),
)


class Failed(Exception):
    """A client did not succeed; the message is what it said."""


@dataclass(frozen=True)
class Project:
    """A folder to install in, pointed at one registry."""

    folder: Path
    registry: str
    token: str = ""

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "project").mkdir(parents=True)
        lines = [f"registry={self.registry}"]
        lines += [f"{self.registry.partition(':')[2].rstrip('/')}/:_authToken={self.token}"] if self.token else []
        (self.folder / ".npmrc").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def put(self, name: str, content: object) -> None:
        """Write a JSON file into the project."""
        (self.folder / "project" / name).write_text(json.dumps(content), encoding="utf-8")

    def get(self, name: str) -> object:
        """Read a JSON file of the project."""
        return json.loads((self.folder / "project" / name).read_text(encoding="utf-8"))

    def run(self, tool: Path, *words: str) -> float:
        """Run one command; its wall seconds. Raises Failed."""
        begun = time.monotonic()
        done = subprocess.run(
            [str(NODE), str(tool), *words], cwd=self.folder / "project", env=self._environment(),
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        seconds = time.monotonic() - begun
        if done.returncode != 0:
            raise Failed(f"{tool.name} {' '.join(words)} at {self.registry}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
        return seconds

    def installed(self) -> int:
        """How many packages lie in node_modules, by npm's own list there or pnpm's folder."""
        root = self.folder / "project" / "node_modules"
        if (root / ".pnpm").is_dir():
            return sum(1 for _ in (root / ".pnpm").iterdir())
        listed = json.loads((root / ".package-lock.json").read_text(encoding="utf-8"))
        return len(listed["packages"])

    def remove(self) -> None:
        """Everything: project, cache, store."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self) -> dict[str, str]:
        home = self.folder
        return {
            "PATH": f"{NODE.parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(home),
            "XDG_CACHE_HOME": str(home / ".xdg-cache"),
            "XDG_DATA_HOME": str(home / ".xdg-data"),
            "npm_config_userconfig": str(home / ".npmrc"),
            "npm_config_globalconfig": str(home / "no-global-npmrc"),
            "npm_config_cache": str(home / ".cache"),
            "npm_config_store_dir": str(home / ".store"),
            "npm_config_update_notifier": "false",
            **{name: os.environ[name] for name in ("NODE_EXTRA_CA_CERTS",) if name in os.environ},
        }
