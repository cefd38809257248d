"""Packages of one repository that need each other: what a client gets can be installed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.parts.clients import Client
from tests.parts.gate import Place, made
from tests.parts.repository import GitServer, Repository

WORKSPACE = {"icons": "workspace:^", "alias": "workspace:@acme/colours@*"}
FILES = {
    "package.json": {"name": "roof", "private": True, "version": "0.0.0", "workspaces": ["packages/*"]},
    "pnpm-workspace.yaml": "packages:\n  - packages/*\ncatalog:\n  '@acme/colours': workspace:*\n",
    "packages/button/package.json": {"name": "button", "version": "2.0.0", "dependencies": WORKSPACE},
    "packages/button/index.js": "module.exports = require('icons') + require('alias');\n",
    "packages/icons/package.json": {"name": "icons", "version": "1.4.0", "peerDependencies": {"@acme/colours": "catalog:"}},
    "packages/icons/index.js": "module.exports = 'icons ';\n",
    "packages/colours/package.json": {"name": "@acme/colours", "version": "0.3.0"},
    "packages/colours/index.js": "module.exports = 'colours';\n",
}


@pytest.mark.npm
def test_siblings_come_along(place: Place, tmp_path: Path, npm: Callable[..., Client]) -> None:
    repository = Repository(tmp_path / "forge")
    commit = repository.commit(FILES)
    repository.tag("button@2.0.0")
    repository.tag("v5.0.0")
    head = repository.version(commit)
    with GitServer(repository.folder) as forge:
        made(place.api().post(place.rest + "upstreams/", {"name": "parts", "kind": "git", "url": f"{forge.url}/modules.git"}))
        versions: dict[str, Any] = place.as_("rita").get("/button", accept="application/json").json()["versions"]

        assert {version: shown["dependencies"] for version, shown in versions.items()} == {
            head: {"icons": head, "alias": f"npm:@acme/colours@{head}"},
            "5.0.0": {"icons": "^5.0.0", "alias": "npm:@acme/colours@5.0.0"},
            "2.0.0": {"icons": "^1.4.0", "alias": "npm:@acme/colours@0.3.0"},
        }
        bob = npm(place, "bob")
        for wanted, number in (("button", head), ("button@5.0.0", "5.0.0")):
            bob.run("install", wanted)
            installed = {path.parent.name: json.loads(path.read_text()) for path in (bob.project / "node_modules").glob("*/package.json")}
            assert {name: one["version"] for name, one in installed.items()} == {"button": number, "icons": number, "alias": number}
            assert installed["icons"]["peerDependencies"] == {"@acme/colours": number}
