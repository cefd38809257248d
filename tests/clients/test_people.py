"""owner, access, org, team and star with the real clients; and that no upstream hears of any of it."""

import concurrent.futures
from collections.abc import Callable
from functools import partial

import pytest

from tests.parts.clients import Client
from tests.parts.gate import Gate, Place
from tests.parts.pack import pack, publish_document
from tests.parts.recorder import Recorder
from tests.parts.web_client import Answer
from tests.rule_live.asking import proven, spellings

pytestmark = pytest.mark.npm
Clients = Callable[..., Client]
ON_SQLITE = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)


@pytest.fixture
def acme(place: Place, recorder: Recorder) -> Place:
    """A workspace that claims its scope, with two packages and an upstream that would notice; carol is no member yet."""
    proven(place, recorder)
    place.claim("@acme/*")
    place.gate.person("carol")
    place.publish(pack("@acme/foo"))
    place.publish(pack("plain"))
    recorder.forget()
    return place


def reads(place: Place, who: str) -> dict[str, int]:
    """The package by the ways installs take."""
    caller = place.as_(who)
    paths = ("/@acme%2ffoo", "/@acme/foo/-/foo-1.0.0.tgz", "/@acme/foo/1.0.0", "/-/package/@acme%2ffoo/dist-tags")
    return {path: caller.get(path, accept_encoding="gzip").status for path in paths}


def test_npm_manages_people_and_rights(acme: Place, client: Clients, recorder: Recorder) -> None:
    alice, org = client("npm-11", acme, "alice"), acme.slug
    assert alice.run("owner", "add", "rita", "@acme/foo").out.strip() == "+ rita (@acme/foo)"
    assert alice.run("owner", "ls", "@acme/foo").out.split("\n")[:2] == ["bob <>", "rita <>"]
    assert alice.run("org", "set", org, "carol", "developer").out.startswith(f"Added carol as developer to {org}. You now have 4 members")
    assert "rita - reader" in alice.run("org", "ls", "acme").out
    alice.run("team", "create", "acme:devs")
    assert alice.run("team", "add", "acme:devs", "rita").out.strip() == "rita added to @acme:devs"
    assert acme.as_("rita").put("/plain", publish_document(pack("plain", "1.1.0"))).status == 403
    alice.run("access", "grant", "read-write", "acme:devs", "plain")
    assert acme.as_("rita").put("/plain", publish_document(pack("plain", "1.1.0"))).status == 201
    assert alice.run("access", "list", "packages", "rita").out.split("\n")[:2] == ["@acme/foo: read-write", "plain: read-write"]
    assert alice.run("access", "list", "collaborators", "plain", "rita").out.strip() == "rita: read-write"
    assert alice.run("star", "plain").out.strip().endswith("plain")
    assert alice.run("stars").out.strip() == "plain"
    assert alice.run("access", "get", "status", "plain").out.strip() == "plain: private"
    alice.run("team", "destroy", "acme:devs")
    assert acme.as_("rita").put("/plain", publish_document(pack("plain", "1.2.0"))).status == 403
    assert not recorder.seen


@ON_SQLITE
def test_what_npm_is_refused_it_is_told_why(acme: Place, client: Clients, gate: Gate, recorder: Recorder) -> None:
    rita, alice = client("npm-11", acme, "rita"), client("npm-11", acme, "alice")
    with gate.unchanged():
        assert "only its maintainers and admins may" in rita.refused("owner", "add", "rita", "@acme/foo").said
        assert "Only admins and owners of the workspace change its members" in rita.refused("org", "set", acme.slug, "carol").said
        assert "last owner" in alice.refused("org", "rm", acme.slug, "alice").said
        assert "the registry" in (said := alice.refused("access", "set", "status=public", "@acme/foo").said), said
        assert "A second factor" in alice.refused("access", "set", "mfa=publish", "@acme/foo").said
        assert "There is no organisation" in alice.refused("org", "ls", "globex").said
    assert not recorder.seen


@ON_SQLITE
@pytest.mark.parametrize("tool", ["npm-6", "npm-12"])
def test_the_oldest_and_the_newest_npm(acme: Place, client: Clients, recorder: Recorder, tool: str) -> None:
    alice = client(tool, acme, "alice")
    words = {"npm-6": ("ls-packages", "ls-collaborators"), "npm-12": ("list packages", "list collaborators")}[tool]
    packages, collaborators = (text.split() for text in words)
    alice.run("owner", "add", "rita", "@acme/foo")
    assert "rita" in alice.run("owner", "ls", "@acme/foo").out
    alice.run("team", "create", f"{acme.slug}:devs")
    alice.run("access", "grant", "read-only", f"{acme.slug}:devs", "@acme/foo")
    assert "read-only" in alice.run("access", *packages, f"{acme.slug}:devs").out
    assert "rita" in (said := alice.run("access", *collaborators, "@acme/foo", "rita").out)
    assert "bob" not in said
    if tool == "npm-6":
        alice.run("star", "@acme/foo")
        assert alice.run("stars").out.strip() == "@acme/foo"
        alice.run("unstar", "@acme/foo")
        assert alice.run("stars").out.strip() == ""
    assert not recorder.seen


@ON_SQLITE
def test_pnpm_12_in_its_own_dialect(acme: Place, client: Clients, recorder: Recorder) -> None:
    alice, rita = client("pnpm-12", acme, "alice"), client("pnpm-12", acme, "rita")
    assert alice.run("owner", "add", "@acme/foo", "rita").out.strip() == "+rita: @acme/foo"
    assert alice.run("owner", "ls", "@acme/foo").out.split() == ["bob", "rita"]
    assert rita.run("owner", "rm", "@acme/foo", "bob").out.strip() == "-bob: @acme/foo"
    assert "keeps at least one" in " ".join(rita.refused("owner", "rm", "@acme/foo", "rita").said.split())
    assert "restricted" in rita.run("access", "get", "status", "@acme/foo").out
    alice.run("team", "create", "@acme:devs")
    alice.run("team", "add", "@acme:devs", "rita")
    assert "@acme:devs" in alice.run("team", "ls", "@acme").out
    assert "rita" in alice.run("team", "ls", "@acme:devs").out
    alice.run("access", "grant", "read-write", "@acme:devs", "plain")
    assert "plain: write" in rita.run("access", "list", "packages").out
    assert "rita: write" in rita.run("access", "list", "collaborators", "plain").out
    rita.run("star", "plain")
    assert rita.run("stars").out.split() == alice.run("stars", "rita").out.split() == ["plain"]
    rita.run("unstar", "plain")
    assert rita.run("stars").out.split() == []
    assert not recorder.seen


def test_a_package_for_members_only_in_a_public_registry(gate: Gate, client: Clients, recorder: Recorder) -> None:
    acme = gate.workspace(visibility="public")
    proven(acme, recorder)
    acme.publish(pack("@acme/foo"))
    bob = client("npm-11", acme, "bob")
    for who in ("", "mallory", "rita"):
        assert set(reads(acme, who).values()) == set(reads(acme, who).values()) == {200}  # the second time by the hot path
    assert "private" in bob.run("access", "set", "status=private", "@acme/foo").out
    for _ in range(2):
        assert set(reads(acme, "rita").values()) == {200}
        for who in ("", "mallory"):
            assert set(reads(acme, who).values()) == {404}, who
    searched = [acme.as_(who).get("/-/v1/search?text=foo").json()["total"] for who in ("rita", "", "mallory")]
    assert searched == [1, 0, 0]
    assert "public" in bob.run("access", "set", "status=public", "@acme/foo").out
    assert set(reads(acme, "").values()) == {200}
    assert not recorder.mentions("foo")


@ON_SQLITE
def test_no_upstream_is_asked_about_a_name_by_these_addresses(place: Place, recorder: Recorder) -> None:
    proven(place, recorder)
    recorder.add("@acme/new", "1.0.0")
    for who in ("", "mallory", "rita", "bob", "alice"):
        caller = place.as_(who)
        for name in spellings("@acme/new"):
            for part in ("access", "visibility", "collaborators"):
                assert caller.get(f"/-/package/{name}/{part}").status in {400, 401, 404}
            asked: list[Answer] = [
                caller.post(f"/-/package/{name}/access", {"access": "restricted"}),
                caller.put(f"/-/package/{name}/owners", {"user": "rita"}),
                caller.delete(f"/-/package/{name}/owners/rita"),
                caller.put(f"/{name}/-rev/1-x", {"maintainers": [{"name": "rita"}]}),
                caller.put(f"/{name}/-rev/1-x", {"users": {who: True}}),
                caller.put(f"/{name}", {"users": {who: True}}),
                caller.put(f"/-/user/package/{name}/star"),
            ]
            assert {one.status for one in asked} <= {400, 401, 403, 404}, [str(one) for one in asked]
        for method in ("PUT", "DELETE"):
            body = {"package": "@acme/new", "permissions": "read-write"}
            assert caller.request(method, f"/-/team/{place.slug}/devs/package", body=body).status in {401, 403, 404}
    assert not recorder.seen


def at_once(*acts: Callable[[], Answer]) -> list[Answer]:
    with concurrent.futures.ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(act) for act in acts]]


def test_whoever_leaves_while_given_a_right_has_none(acme: Place, gate: Gate) -> None:
    """threats A4 under a race: neither a 500, nor a row that outlives the member."""
    alice, bob = acme.as_("alice"), acme.as_("bob")
    org, team = f"/-/org/{acme.slug}/user", f"/-/team/{acme.slug}/devs"
    for number in range(6):
        assert alice.put(org, {"user": "carol", "role": "developer"}).status == 200
        assert alice.put(f"/-/org/{acme.slug}/team", {"name": "devs"}).status == 201
        answers = at_once(
            lambda: alice.delete(org, {"user": "carol"}),
            lambda: bob.put("/-/package/@acme%2ffoo/owners", {"user": "carol"}),
            lambda: alice.put(f"{team}/user", {"user": "carol"}),
            lambda: alice.delete(team),
            lambda: bob.put(f"{team}/package", {"package": "@acme/foo", "permissions": "read-write"}),
            partial(bob.put, "/plain", publish_document(pack("plain", f"2.{number}.0"))),
        )
        assert [answer.status < 500 for answer in answers] == [True] * 6, [str(answer) for answer in answers]
        assert (answers[0].status, answers[3].status, answers[5].status) == (200, 200, 201)
    ask = (
        "SELECT COUNT(*) FROM registries_packageright r JOIN registries_registry g ON g.id = r.registry_id"
        " JOIN workspaces_workspace w ON w.id = g.workspace_id LEFT JOIN workspaces_membership m ON m.id = r.member_id"
        " LEFT JOIN workspaces_user u ON u.id = m.user_id WHERE w.slug = ? AND (r.group_id IS NOT NULL OR u.username = 'carol')"
    )
    assert gate.execute(ask, acme.slug)[0][0] == 0


def test_of_two_who_remove_each_other_one_stays_maintainer(acme: Place) -> None:
    owners = "/-/package/@acme%2ffoo/owners"
    assert acme.as_("bob").put(owners, {"user": "rita"}).status == 200
    for _ in range(6):
        answers = at_once(lambda: acme.as_("bob").delete(f"{owners}/rita"), lambda: acme.as_("rita").delete(f"{owners}/bob"))
        assert sorted(answer.status for answer in answers) in ([200, 403], [200, 409])
        left = [one["name"] for one in acme.as_("rita").get("/@acme%2ffoo").json()["maintainers"]]
        assert len(left) == 1
        assert acme.as_(left[0]).put(owners, {"user": "rita" if left == ["bob"] else "bob"}).status == 200
