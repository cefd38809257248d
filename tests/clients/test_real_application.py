"""The main job on real input: an application's dependencies through Gatehouse from the configured public registry."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.parts import ROOT
from tests.parts.clients import Client, node_folder
from tests.parts.gate import Gate, made
from tests.parts.gatehouse import Gatehouse

pytestmark = [pytest.mark.network, pytest.mark.npm, pytest.mark.timeout(600)]
APPLICATION = ROOT / "tests" / "clients" / "application" / "package.json"
AT_LEAST = 300


@pytest.fixture(scope="module")
def outside() -> str:
    """The public registry this machine is configured for; skips, saying so, when it does not answer."""
    words = [str(node_folder() / "npm"), "config", "get", "registry"]
    address = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True).stdout.strip().rstrip("/")
    try:
        status = urllib3.request("GET", f"{address}/lodash/4.17.21", timeout=15, retries=1).status
    except urllib3.exceptions.HTTPError as error:
        pytest.skip(f"the configured public registry cannot be reached: {type(error).__name__}")
    if status != 200:
        pytest.skip(f"the configured public registry answers {status}")
    return address


@pytest.fixture(scope="module")
def connected(outside: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A Gatehouse with its real limits, in front of the public registry."""
    env = {"DJANGO_SETTINGS_MODULE": "config.settings", "ALLOWED_PRIVATE_NETWORKS": ""}
    server = Gatehouse(tmp_path_factory.mktemp("gatehouse-connected"), "", outside, env=env)
    try:
        server.start()
        yield Gate(server)
    finally:
        server.stop()


def test_an_application_is_installed_and_installed_again(connected: Gate, tmp_path: Path) -> None:
    token = made(connected.rest("POST", "/tokens/", {"name": "tests"}))["token"]
    registry = f"{connected.url}/team/r/main/"
    first = Client("npm", tmp_path / "first", registry, token)
    (first.project / "package.json").write_bytes(APPLICATION.read_bytes())
    first.run("install", "--ignore-scripts", seconds=400)
    lock = json.loads((first.project / "package-lock.json").read_text(encoding="utf-8"))
    installed = [path for path in lock["packages"] if path]

    assert len(installed) >= AT_LEAST
    assert all(one["resolved"].startswith(registry) for path, one in lock["packages"].items() if path and "resolved" in one)
    for name in ("express", "jest", "webpack", "@babel/core"):
        assert (first.project / "node_modules" / name / "package.json").exists()

    second = Client("npm", tmp_path / "second", registry, token)
    for file in ("package.json", "package-lock.json"):
        (second.project / file).write_bytes((first.project / file).read_bytes())
    second.run("ci", "--ignore-scripts", seconds=300)
    assert (second.project / "node_modules" / "typescript" / "package.json").exists()
