"""Tags, deprecation and unpublishing in every client that has them (npm 11: test_stories.py; pnpm 10 hands them to npm)."""

import json
from collections.abc import Callable

import pytest

from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.pack import pack

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
TAGS = {"yarn-1": ("tag",), "yarn-4": ("npm", "tag")}
TAGGERS = ("npm-6", "npm-9", "npm-10", "npm-12", "pnpm-10", "pnpm-12", "yarn-1", "yarn-4")


def tags_of(town: Place, name: str) -> dict[str, str]:
    found: dict[str, str] = town.as_("rita").get(f"/-/package/{name.replace('/', '%2f')}/dist-tags").json()
    return found


@pytest.mark.parametrize("tool", TAGGERS)
def test_tags(town: Place, client: Clients, tool: str) -> None:
    name = f"@acme/tagged-{tool}"
    for version in ("1.0.0", "1.1.0"):
        town.publish(pack(name, version))
    bob = client(tool, town, "bob")
    (bob.project / "package.json").write_text(json.dumps({"name": name, "version": "1.0.0"}), encoding="utf-8")
    if tool == "yarn-4":
        (bob.project / "yarn.lock").touch()
    tag = TAGS.get(tool, ("dist-tag",))
    bob.run(*tag, "add", f"{name}@1.0.0", "stable")

    assert tags_of(town, name) == {"latest": "1.1.0", "stable": "1.0.0"}
    listed = bob.run(*tag, "list" if tool.startswith("yarn") else "ls", name).said
    assert "stable" in listed, listed
    assert "1.0.0" in listed, listed
    bob.run(*tag, "remove" if tool.startswith("yarn") else "rm", name, "stable")
    assert tags_of(town, name) == {"latest": "1.1.0"}


@pytest.mark.parametrize("tool", ["npm-6", "npm-9", "npm-10", "npm-12", "pnpm-12"])
def test_deprecates_and_unpublishes(town: Place, client: Clients, tool: str) -> None:
    name = f"@acme/old-{tool}"
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        town.publish(pack(name, version))
    alice = client(tool, town, "alice")
    alice.run("deprecate", f"{name}@1", "take 2")
    assert deprecated(town, name) == {"1.0.0": "take 2", "1.1.0": "take 2"}
    alice.run(*(("undeprecate", f"{name}@1") if tool == "pnpm-12" else ("deprecate", f"{name}@1", "")))
    assert deprecated(town, name) == {}
    alice.run("unpublish", f"{name}@1.1.0", *(("--force",) if tool == "npm-6" else ()))

    assert town.versions(name) == ["1.0.0", "2.0.0"]
    assert town.as_("rita").get(f"/{name}/-/old-{tool}-1.1.0.tgz").status == 404
    alice.run("unpublish", name, "--force")
    assert town.as_("rita").get(f"/{name.replace('/', '%2f')}").status == 404


def deprecated(town: Place, name: str) -> dict[str, str]:
    """Version to what is said against it."""
    versions = town.as_("rita").get(f"/{name.replace('/', '%2f')}").json()["versions"]
    return {version: one["deprecated"] for version, one in versions.items() if "deprecated" in one}
