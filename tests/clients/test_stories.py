"""npm 11 against a live Gatehouse on both databases; the other clients: test_every_client.py and beside it."""

import json
from collections.abc import Callable

import pytest

from tests.clients.projects import loaded, publish, write_package
from tests.parts.clients import Client
from tests.parts.gate import Gate, Place
from tests.parts.gatehouse import PASSWORD
from tests.parts.recorder import Recorder

pytestmark = pytest.mark.npm
# Where the database makes no difference one is enough: each story costs seconds.
ON_SQLITE = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)
Clients = Callable[..., Client]


def test_login_with_a_password(place: Place, npm: Clients, gate: Gate) -> None:
    client = npm(place)
    client.converse("login", "--auth-type=legacy", answers=[("Username:", "bob"), ("Password:", PASSWORD)])

    assert "_authToken=gth_" in client.npmrc
    assert client.run("whoami").out.strip() == "bob"
    assert "login" in " ".join(str(row[0]) for row in gate.execute("SELECT name FROM tokens_token")).lower()


@ON_SQLITE
def test_login_with_a_wrong_password_changes_nothing(place: Place, npm: Clients, gate: Gate) -> None:
    client = npm(place)
    with gate.unchanged(), pytest.raises(AssertionError, match=r"Incorrect or missing password|wrong|E401"):
        client.converse("login", "--auth-type=legacy", answers=[("Username:", "bob"), ("Password:", "wrong-password")])

    assert "_authToken" not in client.npmrc


@ON_SQLITE
def test_logout_ends_the_token(place: Place, npm: Clients) -> None:
    client = npm(place)
    client.converse("login", "--auth-type=legacy", answers=[("Username:", "rita"), ("Password:", PASSWORD)])
    secret = client.npmrc.rpartition("_authToken=")[2].strip()
    client.run("logout")

    assert "_authToken" not in client.npmrc
    reply = place.as_("").request("GET", "/-/whoami", headers={"authorization": f"Bearer {secret}"})
    assert reply.status == 401, reply


def test_publish_and_install(place: Place, npm: Clients) -> None:
    bob, rita = npm(place, "bob"), npm(place, "rita")
    publish(bob, "left-hand", "1.0.0")
    publish(bob, "@acme/right-hand", "2.1.0", dependencies={"left-hand": "^1.0.0"})
    write_package(rita.project, "an-app")
    rita.run("install", "@acme/right-hand")

    assert loaded(rita, "@acme/right-hand") == "module.exports = '@acme/right-hand@2.1.0'"
    assert loaded(rita, "left-hand") == "module.exports = 'left-hand@1.0.0'"
    lock = json.loads((rita.project / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/left-hand"]["resolved"].startswith(place.url)


def test_the_same_version_with_other_bytes_is_refused(place: Place, npm: Clients, gate: Gate) -> None:
    bob = npm(place, "bob")
    publish(bob, "once-only", "1.0.0")
    folder = write_package(bob.home / "again", "once-only", "1.0.0", keywords=["other", "bytes"])
    with gate.unchanged():
        done = bob.run("publish", "--force", cwd=folder, ok=False)

    assert done.code != 0
    assert "E409" in done.err or "E403" in done.err or "cannot publish over" in done.err, str(done)


@ON_SQLITE
def test_publish_with_a_tag_leaves_latest(place: Place, npm: Clients) -> None:
    bob, rita = npm(place, "bob"), npm(place, "rita")
    publish(bob, "tagged", "1.0.0")
    publish(bob, "tagged", "2.0.0-beta.1", "--tag", "next")

    tags = json.loads(rita.run("view", "tagged", "dist-tags", "--json").out)
    assert tags == {"latest": "1.0.0", "next": "2.0.0-beta.1"}
    assert json.loads(rita.run("view", "tagged", "versions", "--json").out) == ["1.0.0", "2.0.0-beta.1"]


def test_dist_tags(place: Place, npm: Clients) -> None:
    bob, rita = npm(place, "bob"), npm(place, "rita")
    publish(bob, "@acme/tags", "1.0.0")
    publish(bob, "@acme/tags", "1.1.0")
    bob.run("dist-tag", "add", "@acme/tags@1.0.0", "stable")
    assert rita.run("dist-tag", "ls", "@acme/tags").out.split("\n")[:2] == ["latest: 1.1.0", "stable: 1.0.0"]
    bob.run("dist-tag", "rm", "@acme/tags", "stable")

    assert rita.run("dist-tag", "ls", "@acme/tags").out.strip() == "latest: 1.1.0"
    assert bob.run("dist-tag", "rm", "@acme/tags", "latest", ok=False).code != 0
    assert "E403" in (done := rita.run("dist-tag", "add", "@acme/tags@1.0.0", "mine", ok=False)).err, str(done)


def test_deprecate_and_undeprecate(place: Place, npm: Clients) -> None:
    bob, rita = npm(place, "bob"), npm(place, "rita")
    publish(bob, "old-hat", "1.0.0")
    publish(bob, "old-hat", "2.0.0")
    bob.run("deprecate", "old-hat@1", "take 2")
    assert rita.run("view", "old-hat@1.0.0", "deprecated").out.strip() == "take 2"
    assert rita.run("view", "old-hat@2.0.0", "deprecated").out.strip() == ""
    write_package(rita.project, "an-app")
    assert "take 2" in rita.run("install", "old-hat@1").err
    bob.run("deprecate", "old-hat@1", "")

    assert rita.run("view", "old-hat@1.0.0", "deprecated").out.strip() == ""
    assert "deprecated" not in place.as_("rita").get("/old-hat").json()["versions"]["1.0.0"]


def test_unpublish_a_version_and_then_all(place: Place, npm: Clients, gate: Gate) -> None:
    alice, rita = npm(place, "alice"), npm(place, "rita")
    for version in ("1.0.0", "1.1.0"):
        publish(alice, "fleeting", version)
    alice.run("unpublish", "fleeting@1.1.0")
    assert json.loads(rita.run("view", "fleeting", "--json").out)["version"] == "1.0.0"
    assert place.as_("rita").get("/fleeting/-/fleeting-1.1.0.tgz").status == 404
    alice.run("unpublish", "fleeting", "--force")

    assert "E404" in (done := rita.run("view", "fleeting", ok=False)).err, str(done)
    folder = write_package(alice.home / "again", "fleeting", "1.0.0")
    with gate.unchanged():
        assert alice.run("publish", cwd=folder, ok=False).code != 0


@ON_SQLITE
def test_a_publisher_may_not_unpublish(place: Place, npm: Clients) -> None:
    bob = npm(place, "bob")
    publish(bob, "stays")
    bob.run("unpublish", "stays", "--force", ok=False)

    assert place.versions("stays") == ["1.0.0"]


def test_tokens(place: Place, npm: Clients) -> None:
    rita = npm(place, "rita")
    said = rita.converse("token", "create", "--name", "from npm", "--json", answers=[("assword", PASSWORD)]).out
    made = json.loads(said[said.index("{") :])
    secret = made["token"]
    assert place.as_("").request("GET", "/-/whoami", headers={"authorization": f"Bearer {secret}"}).json() == {"username": "rita"}
    listed = json.loads(rita.run("token", "list", "--json").out)
    key = next(one["key"] for one in listed if one["name"] == "from npm")
    rita.run("token", "revoke", key)

    assert place.as_("").request("GET", "/-/whoami", headers={"authorization": f"Bearer {secret}"}).status == 401


def test_install_from_upstream_with_its_dependencies(place: Place, npm: Clients, recorder: Recorder) -> None:
    recorder.add("tree-root", "1.0.0", "1.2.0", dependencies={"tree-leaf": "^2.0.0", "@pub/branch": "1.x"})
    recorder.add("tree-leaf", "2.0.1")
    recorder.add("@pub/branch", "1.4.0", dependencies={"tree-leaf": "2"})
    place.upstream(recorder)
    rita = npm(place, "rita")
    write_package(rita.project, "an-app")
    rita.run("install", "tree-root")

    assert loaded(rita, "tree-root") == 'module.exports = "tree-root@1.2.0";'
    assert loaded(rita, "@pub/branch") == 'module.exports = "@pub/branch@1.4.0";'
    assert loaded(rita, "tree-leaf") == 'module.exports = "tree-leaf@2.0.1";'
    assert not recorder.mentions(place.tokens["rita"])


@ON_SQLITE
def test_the_second_install_asks_upstream_for_nothing(place: Place, npm: Clients, recorder: Recorder) -> None:
    recorder.add("warm", "1.0.0")
    place.upstream(recorder)
    for home in ("one", "two"):
        client = npm(place, "rita", home=home)
        write_package(client.project, "an-app")
        before = len(recorder.asked("warm"))
        client.run("install", "warm")

    assert before == 2
    assert len(recorder.asked("warm")) == 2


@ON_SQLITE
def test_ci_from_a_lock_file_made_elsewhere(place: Place, npm: Clients, recorder: Recorder) -> None:
    recorder.add("locked", "1.0.0", dependencies={"@pub/inside": "^1.0.0"})
    recorder.add("@pub/inside", "1.0.0")
    elsewhere = npm(place, registry=f"{recorder.url}/", home="elsewhere")
    write_package(elsewhere.project, "an-app", dependencies={"locked": "1.0.0"})
    elsewhere.run("install", "--no-audit")
    recorder.add("locked", "1.0.1")
    recorder.forget()
    place.upstream(recorder)
    rita = npm(place, "rita")
    for file in ("package.json", "package-lock.json"):
        (rita.project / file).write_bytes((elsewhere.project / file).read_bytes())
    rita.run("ci", "--replace-registry-host=always")

    assert loaded(rita, "locked") == 'module.exports = "locked@1.0.0";'
    assert loaded(rita, "@pub/inside") == 'module.exports = "@pub/inside@1.0.0";'
    assert not [one for one in recorder.seen if "npm" in one.headers.get("user-agent", "").split("/")[0]]


def test_ci_again_from_its_own_lock_file(place: Place, npm: Clients, recorder: Recorder) -> None:
    recorder.add("mine-too", "1.0.0")
    place.upstream(recorder)
    rita, other = npm(place, "rita"), npm(place, "rita", home="other")
    write_package(rita.project, "an-app", dependencies={"mine-too": "*"})
    rita.run("install")
    for file in ("package.json", "package-lock.json"):
        (other.project / file).write_bytes((rita.project / file).read_bytes())
    other.run("ci")

    assert loaded(other, "mine-too") == 'module.exports = "mine-too@1.0.0";'
