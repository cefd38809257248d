"""docs/npm.md tells of every command that npm 11 and 12 have, and names the versions that are tested."""

import json
import re
from collections.abc import Callable

import pytest

from tests.clients.ways import app
from tests.parts import ROOT
from tests.parts.clients import Client, folder_of
from tests.parts.clients.install import PINS
from tests.parts.gate import Place
from tests.parts.pack import pack

pytestmark = pytest.mark.npm
PAGE = (ROOT / "docs" / "npm.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z-]+)` \| (works|honest answer|local) \|", re.MULTILINE)


def test_every_command_has_its_row() -> None:
    brought = {path.stem for version in (11, 12) for path in (folder_of(f"npm-{version}") / "lib" / "commands").iterdir()}
    rows = [name for name, _ in ROW.findall(PAGE)]

    assert sorted(rows) == sorted(brought)


def test_the_versions_are_the_pinned_ones() -> None:
    pins = json.loads(PINS.read_text(encoding="utf-8"))
    versions = {one.rpartition("@")[2] for one in {**pins["dependencies"], **pins["optionalDependencies"]}.values()}

    assert versions <= set(re.findall(r"\d+\.\d+\.\d+", PAGE))


@pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
def test_commands_that_read_by_the_way(town: Place, client: Callable[..., Client]) -> None:
    for version, said in (("1.0.0", "one"), ("1.1.0", "two")):
        program = f"#!/usr/bin/env node\nconsole.log('{said}')\n".encode()
        town.publish(pack("@acme/tool", version, files={"cli.js": program}, bin={"tool": "cli.js"}, homepage="https://example.org/tool"))
    rita = app(client("npm-12", town, "rita"))

    assert "two" in rita.run("exec", "--yes", "--package", "@acme/tool", "--", "tool").out
    assert rita.run("pack", "@acme/tool@1.0.0").out.strip() == "acme-tool-1.0.0.tgz"
    assert "+console.log('two')" in rita.run("diff", "--diff=@acme/tool@1.0.0", "--diff=@acme/tool@1.1.0").out
    assert "https://example.org/tool" in rita.run("docs", "@acme/tool", "--no-browser").out
    assert "Ok" in rita.run("doctor", "ping").out
