"""Every family of clients installs what comes from a repository, and again from its lock file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.ways import ways
from tests.git.conftest import Modules
from tests.parts.clients import Client
from tests.parts.gate import Place

pytestmark = pytest.mark.npm
Add = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("tool", ["npm-6", "npm-10", "npm-12", "pnpm-10", "yarn-1", "yarn-4", "bun"])
def test_install_and_again_from_the_lock_file(tool: str, place: Place, modules: Modules, add_git: Add, tmp_path: Path) -> None:
    add_git(place)
    client = Client(tool, tmp_path / "home", place.url, place.tokens["rita"])
    (client.project / "package.json").write_text(json.dumps({"name": "app", "version": "1.0.0", "private": True}))
    if tool == "yarn-4":
        (client.project / "yarn.lock").touch()

    client.run(*ways(client).add, "mod@feat", "@acme/other@1.2.0")

    assert (client.project / ways(client).lock).exists()
    assert modules.repository.version(modules.feat) in (client.project / ways(client).lock).read_text()
    said = client.run(*ways(client).frozen)
    assert said.code == 0
    assert not modules.trace.exists()
