"""The daily path with real pnpm 10."""

from collections.abc import Callable

import pytest

from tests.clients.projects import loaded, publish, write_package
from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.recorder import Recorder

pytestmark = pytest.mark.npm
Clients = Callable[..., Client]


def test_pnpm_installs_and_publishes(place: Place, pnpm: Clients, recorder: Recorder) -> None:
    recorder.add("from-outside", "3.0.0", dependencies={"@pub/deeper": "1"})
    recorder.add("@pub/deeper", "1.0.0")
    place.upstream(recorder)
    bob, rita = pnpm(place, "bob"), pnpm(place, "rita")
    folder = write_package(bob.home / "pub", "@acme/by-pnpm", "1.0.0", dependencies={"from-outside": "^3.0.0"})
    bob.run("publish", "--no-git-checks", cwd=folder)
    write_package(rita.project, "an-app")
    rita.run("add", "@acme/by-pnpm")

    assert loaded(rita, "@acme/by-pnpm") == "module.exports = '@acme/by-pnpm@1.0.0'"
    assert list((rita.project / "node_modules" / ".pnpm").glob("from-outside@3.0.0"))
    rita.run("install", "--frozen-lockfile", "--force")


def test_pnpm_lists_tags_and_views(place: Place, pnpm: Clients, npm: Clients) -> None:
    publish(npm(place, "bob"), "seen-by-pnpm", "1.0.0")
    rita = pnpm(place, "rita")

    assert rita.run("view", "seen-by-pnpm", "version").out.strip() == "1.0.0"
    assert rita.run("whoami").out.strip() == "rita"
