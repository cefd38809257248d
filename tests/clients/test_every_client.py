"""Every client of the matrix on its daily path."""

from collections.abc import Callable

import pytest

from tests.clients.projects import write_package
from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.pack import pack

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
INSTALL = {"yarn-1": "add", "yarn-4": "add", "pnpm-10": "add", "pnpm-12": "add", "bun": "add"}


@pytest.mark.parametrize("tool", ["npm-6", "npm-9", "npm-10", "npm-11", "npm-12", "pnpm-10", "pnpm-12", "yarn-1", "yarn-4", "bun"])
def test_installs_what_is_published(place: Place, client: Clients, tool: str) -> None:
    place.publish(pack("left-hand", "1.0.0"))
    rita = client(tool, place, "rita")
    write_package(rita.project, "an-app")
    if tool == "yarn-4":
        (rita.project / "yarn.lock").touch()
    rita.run(INSTALL.get(tool, "install"), "left-hand")

    assert (rita.project / "node_modules/left-hand/package.json").exists()
