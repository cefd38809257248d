"""Lock files of the real clients: made at a registry that was renamed or cloned since, or at another product's; read by us."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from packages.formats.npm.locks import read_lock
from tests.clients.projects import write_package
from tests.parts.clients import Client, Done
from tests.parts.gate import Gate, Place, made
from tests.parts.pack import pack

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]  # addresses, whatever the database
Clients = Callable[..., Client]
NPMS = ("npm-6", "npm-9", "npm-11", "npm-12")
ALWAYS = "--replace-registry-host=always"  # npm 8.7 and later; npm 6 rewrites on its own
# What other products put before a package's name.
ELSEWHERE = {
    "a host of its own": "https://registry.example.org/",
    "Artifactory's way": "https://packages.example.org/artifactory/api/npm/npm-repo/",
    "Nexus's way": "https://packages.example.org/repository/npm-group/",
    "Verdaccio below a path": "http://localhost:4873/verdaccio/",
    "GitLab's way": "https://git.example.org/api/v4/projects/278964/packages/npm/",
    "Azure's way": "https://pkgs.example.org/acme/_packaging/feed/npm/registry/",
}


@pytest.fixture
def stocked(place: Place) -> Place:
    """Two packages, one of them scoped, one depending on the other."""
    place.publish(pack("left-hand", "1.0.0"))
    place.publish(pack("@acme/right-hand", "2.1.0", dependencies={"left-hand": "^1.0.0"}))
    return place


def made_lock(client: Client, *words: str) -> Path:
    """A project with a lock file of its own; answers the lock's path."""
    write_package(client.project, "an-app", dependencies={"@acme/right-hand": "^2.0.0"})
    client.run(*words)
    return next(client.project / name for name in ("package-lock.json", "yarn.lock", "bun.lock") if (client.project / name).exists())


def carried(lock: Path, client: Client, change: Callable[[str], str] = str) -> None:
    """Another person's checkout of that project."""
    write_package(client.project, "an-app", dependencies={"@acme/right-hand": "^2.0.0"})
    (client.project / lock.name).write_text(change(lock.read_text(encoding="utf-8")), encoding="utf-8")


VERSIONS = {"@acme/right-hand": "2.1.0", "left-hand": "1.0.0"}


def assert_installed(client: Client, *names: str) -> None:
    for name in names or VERSIONS:
        found = json.loads((client.project / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
        assert found["version"] == VERSIONS[name]


def renamed(place: Place, slug: str = "newer") -> Place:
    answer = place.api().patch(place.rest, {"slug": slug})
    assert answer.status == 200, answer
    return Place(place.gate, place.slug, slug, place.tokens)


@pytest.mark.parametrize("tool", NPMS)
def test_a_lock_file_of_the_former_slug(stocked: Place, client: Clients, tool: str) -> None:
    """The settings still name the former slug; then they name the present one, and only the lock file is old."""
    lock = made_lock(client(tool, stocked, "rita"), "install")
    assert f"{stocked.path}/left-hand/-/" in lock.read_text(encoding="utf-8")
    now = renamed(stocked)
    for settings in (stocked, now):
        again = client(tool, settings, "rita", home=f"again-{settings.registry}")
        carried(lock, again)
        again.run("ci", *([ALWAYS] if tool == "npm-12" and settings is now else []))
        assert_installed(again)


def test_npm_12_says_what_to_do_with_a_lock_file_of_another_registry(stocked: Place, client: Clients) -> None:
    """It asks nobody for an address that is not below its registry: no redirect of ours could help (measured, npm 12.2.0)."""
    lock = made_lock(client("npm-12", stocked, "rita"), "install")
    again = client("npm-12", renamed(stocked), "rita", home="again")
    carried(lock, again)
    assert "EALLOWREMOTE" in again.refused("ci").err


FROZEN = {"yarn-1": "--frozen-lockfile", "yarn-4": "--immutable", "bun": "--frozen-lockfile", "pnpm-12": "--frozen-lockfile"}
LOCKS = ("yarn.lock", "bun.lock", "pnpm-lock.yaml")


@pytest.mark.parametrize("tool", FROZEN)
def test_other_clients_and_the_former_slug(stocked: Place, client: Clients, tool: str) -> None:
    """yarn 1 alone must keep its settings, or its lock file be made anew: it sends no token to what is not below its registry."""
    first = client(tool, stocked, "rita")
    write_package(first.project, "an-app", dependencies={"@acme/right-hand": "^2.0.0"})
    if tool == "yarn-4":
        (first.project / "yarn.lock").write_text("", encoding="utf-8")
    first.run("install")
    lock = next(first.project / name for name in LOCKS if (first.project / name).exists())
    now = renamed(stocked)
    for settings in (stocked, now):
        again = client(tool, settings, "rita", home=f"again-{settings.registry}")
        again.env["pnpm_config_minimum_release_age"] = "0"  # pnpm 12 refuses what was published a minute ago
        carried(lock, again)
        if tool == "yarn-1" and settings is now:
            assert "401" in again.refused("install", FROZEN[tool]).err
            continue
        again.run("install", FROZEN[tool])
        assert_installed(again, *(["@acme/right-hand"] if tool == "pnpm-12" else VERSIONS))


@pytest.mark.parametrize("tool", NPMS)
def test_publishing_and_installing_under_the_former_slug(stocked: Place, client: Clients, tool: str) -> None:
    now = renamed(stocked)
    bob = client(tool, stocked, "bob")
    done = bob.run("publish", cwd=write_package(bob.home / "fresh", f"fresh-{tool}"))
    assert "is called newer now" in done.err
    assert now.versions(f"fresh-{tool}") == ["1.0.0"]
    assert bob.run("view", f"fresh-{tool}", "version").out.strip() == "1.0.0"


@pytest.mark.parametrize("tool", ["npm-9", "npm-11", "npm-12"])
def test_a_lock_file_of_a_registry_that_was_cloned(stocked: Place, client: Clients, tool: str) -> None:
    lock = made_lock(client(tool, stocked, "rita"), "install")
    made(stocked.api().post(f"{stocked.rest}clone/", {"slug": "copy"}))
    copy = Place(stocked.gate, stocked.slug, "copy", stocked.tokens)
    again = client(tool, copy, "rita", home="again")
    carried(lock, again)
    again.run("ci", ALWAYS)
    assert_installed(again)
    assert f"{copy.path}/" not in lock.read_text(encoding="utf-8")


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
def test_lock_files_of_other_products(stocked: Place, client: Clients, elsewhere: str) -> None:
    lock = made_lock(client("npm-11", stocked, "rita"), "install")
    for tool in ("npm-9", "npm-11", "npm-12") if elsewhere == "Artifactory's way" else ("npm-11",):
        again = client(tool, stocked, "rita", home=f"again-{tool}")
        carried(lock, again, lambda text: text.replace(stocked.url, ELSEWHERE[elsewhere]))
        assert stocked.url not in (again.project / lock.name).read_text(encoding="utf-8")
        again.run("ci", ALWAYS)
        assert_installed(again)


def test_artifactorys_scoped_file_names(stocked: Place, client: Clients) -> None:
    """`@acme/right-hand/-/@acme/right-hand-2.1.0.tgz`, as Artifactory and old npm write it."""
    lock = made_lock(client("npm-11", stocked, "rita"), "install")
    again = client("npm-11", stocked, "rita", home="again")
    prefix = ELSEWHERE["Artifactory's way"]
    carried(lock, again, lambda text: text.replace(stocked.url, prefix).replace("/-/right-hand-", "/-/@acme/right-hand-"))
    again.run("ci", ALWAYS)
    assert_installed(again)


def test_another_workspaces_prefix_is_none(stocked: Place, gate: Gate, client: Clients) -> None:
    other = gate.globex()
    lock = made_lock(client("npm-11", stocked, "rita"), "install")
    again = client("npm-11", stocked, "rita", home="again")
    carried(lock, again, lambda text: text.replace(stocked.url, other.url))
    done: Done = again.refused("ci", ALWAYS)
    assert re.search(r"E404|404 Not Found", done.err), str(done)


def test_npm_6_unpublishes_by_a_doubled_prefix(stocked: Place, client: Clients) -> None:
    alice = client("npm-6", stocked, "alice")
    for version in ("1.0.0", "1.1.0"):
        alice.run("publish", cwd=write_package(alice.home / version, "six", version))
    alice.run("unpublish", "six@1.1.0")
    assert stocked.versions("six") == ["1.0.0"]
    now = renamed(stocked)
    alice.run("publish", cwd=write_package(alice.home / "1.2.0", "six", "1.2.0"))
    alice.run("unpublish", "six@1.2.0")
    assert now.versions("six") == ["1.0.0"]


TOOLS = ("npm-6", "npm-9", "npm-12", "yarn-1", "yarn-4", "pnpm-10", "pnpm-12")


@pytest.mark.parametrize("tool", TOOLS)
def test_what_is_optional_in_a_lock_file_is_known(stocked: Place, client: Clients, tool: str) -> None:
    """And so is what it needs in turn, unless somebody else needs that too."""
    stocked.publish(pack("@roll/aix", "1.0.0", os=["aix"], dependencies={"aix-tool": "^1.0.0", "left-hand": "^1.0.0"}))
    stocked.publish(pack("aix-tool", "1.2.0"))
    stocked.publish(pack("@roll/any", "1.0.0"))
    optional = {"@roll/aix": "1.0.0", "@roll/any": "^1.0.0"}
    stocked.publish(pack("roll", "1.0.0", dependencies={"@acme/right-hand": "^2.0.0"}, optionalDependencies=optional))
    first = client(tool, stocked, "rita")
    first.env["pnpm_config_minimum_release_age"] = "0"
    write_package(first.project, "an-app", dependencies={"roll": "^1.0.0"})
    if tool == "yarn-4":
        (first.project / "yarn.lock").write_text("", encoding="utf-8")
    first.run("install")

    lock = next(first.project / name for name in ("package-lock.json", *LOCKS) if (first.project / name).exists())
    assert set(read_lock(lock.read_bytes())) == {
        ("roll", "1.0.0", False),
        ("@acme/right-hand", "2.1.0", False),
        ("left-hand", "1.0.0", False),
        ("@roll/aix", "1.0.0", True),
        ("aix-tool", "1.2.0", True),
        ("@roll/any", "1.0.0", True),
    }
