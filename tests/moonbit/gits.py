"""The real git as a client, with nothing of this machine's own set-up."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

DONE = 0


def git(folder: Path, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run it in `folder`."""
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    done = subprocess.run(["git", *words], cwd=folder, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == DONE, f"{words}: {done.stderr}"
    return done


def clone(folder: Path, address: str, *settings: str) -> Path:
    """As moon clones its index."""
    options = [word for one in settings for word in ("-c", one)]
    git(folder, *options, "clone", "--depth", "1", "--single-branch", "--no-tags", address, "index")
    assert git(folder / "index", "branch", "--show-current").stdout.strip() == "main"
    return folder / "index"


def lines(index: Path, name: str) -> dict[str, dict[str, Any]]:
    """A module's versions in a clone."""
    path = index / "user" / f"{name}.index"
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return {one["version"]: one for one in found}
