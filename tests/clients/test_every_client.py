"""The daily path of every client: publish, install, install from the lock file, look, audit."""

import json
from collections.abc import Callable

import pytest

from tests.clients.projects import loaded
from tests.clients.ways import EVERY, app, install_locked, publish_with, ways
from tests.parts.clients import Client
from tests.parts.gate import Place
from tests.parts.pack import pack
from tests.parts.recorder import Recorder

pytestmark = [pytest.mark.npm, pytest.mark.parametrize("gate", ["sqlite"], indirect=True)]
Clients = Callable[..., Client]
NO_ADDRESSES = {"pnpm-10", "pnpm-12", "yarn-4"}  # what keeps no addresses in its lock file


@pytest.mark.parametrize("tool", EVERY)
def test_publishes(town: Place, client: Clients, tool: str) -> None:
    bob = client(tool, town, "bob")
    publish_with(bob, f"by-{tool}", bin={f"by-{tool}": "index.js"}, keywords=["made", "here"])
    publish_with(bob, f"@acme/by-{tool}", "2.0.0-beta.1", "--tag", "next", dependencies={"from-outside": "^3.0.0"})

    plain = town.as_("rita").get(f"/by-{tool}").json()
    assert (plain["dist-tags"], plain["versions"]["1.0.0"]["keywords"]) == ({"latest": "1.0.0"}, ["made", "here"])
    assert list(plain["versions"]["1.0.0"]["bin"]) == [f"by-{tool}"]
    scoped = town.as_("rita").get(f"/@acme%2fby-{tool}").json()
    assert scoped["dist-tags"]["next"] == "2.0.0-beta.1"
    assert scoped["versions"]["2.0.0-beta.1"]["dependencies"] == {"from-outside": "^3.0.0"}
    assert scoped["versions"]["2.0.0-beta.1"]["dist"]["tarball"] == f"{town.url}@acme/by-{tool}/-/by-{tool}-2.0.0-beta.1.tgz"


@pytest.mark.parametrize("tool", EVERY)
def test_installs_updates_and_installs_again_from_the_lock_file(town: Place, client: Clients, outer: Recorder, tool: str) -> None:
    ours, theirs = f"@acme/for-{tool}", f"aging-for-{tool}"
    town.publish(pack(ours, dependencies={"from-outside": "^3.0.0"}))
    outer.add(theirs, "1.0.0", "1.2.0")
    rita, fresh = app(client(tool, town, "rita")), client(tool, town, "rita", home="a-new-machine")
    way = ways(rita)
    rita.run(*way.add, ours, f"{theirs}@1.0.0")
    if way.outdated:
        assert "1.2.0" in rita.run(*way.outdated, ok=False).said
    if tool == "yarn-1":  # it upgrades only what its lock file agrees with
        rita.run(*way.update, f"{theirs}@^1.0.0")
    else:
        widen(rita, theirs)
        rita.run(*way.update)
    install_locked(rita, fresh)

    for one in (rita, fresh):
        assert loaded(one, ours) == f'module.exports = "{ours}@1.0.0";'
        assert loaded(one, theirs) == f'module.exports = "{theirs}@1.2.0";'
        assert list((one.project / "node_modules").rglob("@pub/deeper/index.js"))
    lock = (rita.project / way.lock).read_text(encoding="utf-8")
    assert "sha512-" in lock or "checksum: " in lock
    assert (town.url in lock) == (tool not in NO_ADDRESSES)
    assert not outer.mentions(town.tokens["rita"])
    assert not outer.mentions("@acme"), "no upstream hears of a name that is ours"


@pytest.mark.parametrize("tool", EVERY)
def test_asks(town: Place, client: Clients, tool: str) -> None:
    town.publish(pack(f"seen-by-{tool}", "1.2.0"))
    rita = app(client(tool, town, "rita"))
    way = ways(rita)

    assert "1.2.0" in rita.run(*way.view, f"seen-by-{tool}").said
    if way.whoami:
        assert "rita" in rita.run(*way.whoami).said
    if way.ping:
        rita.run(*way.ping)


@pytest.mark.parametrize("tool", [tool for tool in EVERY if tool != "yarn-1"])  # whose audit goes to its makers, wherever it installs from
def test_audits(town: Place, client: Clients, outer: Recorder, tool: str) -> None:
    outer.audits = {"bulk", "quick"}
    assert town.api().patch(town.rest, {"audit_upstream": True}).status == 200
    outer.add(f"unsound-for-{tool}")
    outer.warn_of(f"unsound-for-{tool}", number=1 + EVERY.index(tool))
    rita = app(client(tool, town, "rita"))
    rita.run(*ways(rita).add, f"unsound-for-{tool}")
    done = rita.refused(*ways(rita).audit)

    assert f"unsound-for-{tool} is unsafe" in done.said, str(done)
    assert f"unsound-for-{tool}" in outer.audited()


def test_an_audit_that_is_off_says_so(town: Place, client: Clients) -> None:
    quiet = town.second("quiet")
    quiet.publish(pack("never-audited"))
    rita = app(client("npm-12", quiet, "rita"))
    rita.run("install", "never-audited", "--no-audit")

    assert "Nothing was audited: auditing is off in this registry." in (done := rita.run("audit")).said, str(done)


def widen(client: Client, name: str) -> None:
    """Let the project take any 1.x of the dependency."""
    path = client.project / "package.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    document["dependencies"][name] = "^1.0.0"
    path.write_text(json.dumps(document), encoding="utf-8")
