"""What each client makes of an odd package.json on the way is no difference between its document and its tarball."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.clients.projects import write_package
from tests.clients.ways import EVERY, ways
from tests.parts.clients import Client
from tests.parts.gate import Place

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
Odd = tuple[dict[str, Any], Mapping[str, str]]
ODD: dict[str, Odd] = {
    "commands": (
        {
            "bin": "./cli.js", "repository": "acme/thing", "author": "Ann <ann@example.org> (https://ann.example.org)",
            "contributors": ["Bo <bo@example.org>", {"name": "Cy"}], "keywords": ["one", "two"], "funding": "https://example.org/fund",
            "engines": {"node": ">=1"}, "os": ["linux", "darwin", "win32"], "exports": {".": "./index.js"}, "sideEffects": False,
            "scripts": {"test": "node_modules/.bin/mocha", "postinstall": "true"}, "config": {"a": 1}, "_hidden": 1, "gypfile": False,
            "homepage": "example.org/home", "bugs": "https://bugs.example.org/", "devDependencies": {}, "bundleDependencies": False,
        },
        {"cli.js": "#!/usr/bin/env node\n", "binding.gyp": "{}"},
    ),
    "folders": (  # what npm reads off the folder need not be in the tarball
        {
            "directories": {"bin": "./tools", "man": "man", "lib": "lib"}, "main": "lib/index.js", "files": ["tools", "man", "lib"],
            "repository": {"url": "git://github.com/a/b"}, "keywords": "one, two", "description": "",
        },
        {
            "tools/one": "#!/bin/sh\n", "tools/two.js": "1", "man/x.1": "x", "lib/index.js": "1", "lib/index.d.ts": "x",
            "AUTHORS": "Ann\n", "server.js": "1", "binding.gyp": "{}",
        },
    ),
    "builds": (
        {"license": {"type": "MIT"}, "repository": "gist:11081aaa281", "man": "./x.1"},
        {"binding.gyp": "{}", "server.js": "1", "x.1": "x", "AUTHORS": "Ann\n"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("tool", EVERY)
def test_no_honest_publish_is_taken_for_a_lie(town: Place, client: Clients, tool: str) -> None:
    bob = client(tool, town, "bob")
    for kind, (fields, files) in ODD.items():
        name = f"{kind}-by-{tool}"
        folder = write_package(bob.home / name, name, **fields)
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        if tool == "yarn-4":
            (folder / "yarn.lock").touch()
            bob.run("install", cwd=folder, ok=False)  # building binding.gyp needs a compiler, which is not the point
        quiet = ("--ignore-scripts",) if not tool.startswith("yarn") else ()
        bob.run(*ways(bob).publish, *quiet, cwd=folder)
        version = town.api("rita").get(f"{town.rest}packages/npm/{name}/versions/1.0.0/").json()
        assert version["differences"] == [], json.dumps(version["differences"])
