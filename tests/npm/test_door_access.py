"""`npm access grant`, `revoke` and `list`: rights on one package."""

from typing import Any

import pytest

from packages.models import Version
from tests.npm.rights import about, maintainers, owners, set_access, team_of
from tests.npm.team import Team, facts
from workspaces.access import Role
from workspaces.models import Event

SPELLINGS = ("@acme%2fbar", "@acme%2Fbar", "@acme/bar", "%40acme%2fbar")


def test_a_grant_lets_readers_write_that_package_alone(team: Team) -> None:
    team.publish("@acme/bar")
    team.publish("other")
    team_of(team, "rita")
    assert team.publish("@acme/bar", "1.1.0", who="rita").status_code == 201
    assert team.send("rita", "PUT", about("@acme/bar", "dist-tags/next"), b'"1.0.0"').status_code == 201
    document = team.send("rita", "GET", "/@acme%2fbar?write=true").json()
    document["versions"]["1.0.0"]["deprecated"] = "old"
    assert team.send("rita", "PUT", "/@acme%2fbar", document).status_code == 200
    before = facts()
    assert team.publish("other", "1.1.0", who="rita").status_code == 403
    assert team.publish("@acme/barn", who="rita").status_code == 403
    assert team.send("rita", "DELETE", f"/@acme%2fbar/-rev/{document['_rev']}").status_code == 403
    assert set_access(team, "rita", {"access": "restricted"}).status_code == 403
    assert owners(team, "rita", ["rita"]).status_code == 403
    assert facts() == before
    assert team.send("bob", "GET", about("@acme/bar", "collaborators")).json() == {"alice": "write", "bob": "write", "rita": "write"}
    assert team.send("bob", "GET", about("other", "collaborators")).json() == {"alice": "write", "bob": "write", "rita": "read"}
    assert team.send("bob", "GET", about("other", "collaborators") + "?format=cli&user=rita").json() == {"rita": "read"}


def test_tokens_still_narrow_what_was_granted(team: Team) -> None:
    team.publish("@acme/bar")
    team_of(team, "rita")
    narrowed: list[dict[str, Any]] = [
        {"read_only": True},
        {"scopes": ["npm:package:other:write"]},
        {"scopes": ["npm:*:*:read"]},
        {"scopes": []},
    ]
    tokens = [team.token("rita", **wish) for wish in narrowed]
    elsewhere, before = team.token("rita", registries=[]), facts()
    for token in tokens:
        assert team.publish("@acme/bar", "1.1.0", who=token).status_code == 403
    assert team.publish("@acme/bar", "1.1.0", who=elsewhere).status_code == 404
    assert facts() == before
    assert team.publish("@acme/bar", "1.1.0", who=team.token("rita", scopes=["npm:package:@acme/*:write"])).status_code == 201


def test_read_only_grants_are_listed_and_give_nothing(team: Team) -> None:
    team.publish("@acme/bar")
    team_of(team, "rita", permission="read-only")
    assert team.publish("@acme/bar", "1.1.0", who="rita").status_code == 403
    packages = f"/-/team/{team.slug}/devs/package"
    assert team.send("rita", "GET", packages).json() == {"@acme/bar": "read"}
    team_of(team, "rita")
    assert team.send("rita", "GET", packages).json() == {"@acme/bar": "write"}
    assert team.send("rita", "GET", "/-/user/rita/package").json() == {"@acme/bar": "write"}
    assert team.send("alice", "DELETE", packages, {"package": "@acme/bar"}).status_code == 200
    assert team.send("alice", "DELETE", packages, {"package": "@acme/bar"}).status_code == 404
    assert team.send("rita", "GET", packages).json() == {}
    kinds = list(Event.objects.filter(action__startswith="access.").order_by("id").values_list("action", flat=True))
    assert kinds == ["access.granted", "access.granted", "access.revoked"]


def test_lists_of_packages(team: Team) -> None:
    team.publish("@acme/bar")
    team.publish("other")
    Version.objects.filter(package__name="other").update(origin="pulled", is_internal=False)
    assert team.send("rita", "GET", f"/-/org/{team.slug}/package").json() == {"@acme/bar": "read"}
    assert team.send("bob", "GET", f"/-/org/{team.slug}/package").json() == {"@acme/bar": "write"}
    assert team.send("rita", "GET", "/-/user/bob/package").json() == {"@acme/bar": "write"}
    assert team.send("rita", "GET", "/-/-/package?format=cli").json() == {"@acme/bar": "read"}  # as pnpm 12 asks
    listed = team.send("rita", "GET", about("@acme/bar", "collaborators"), user_agent="pnpm/12.21.0").json()
    assert {"user": "bob", "permissions": "write"} in listed
    assert team.send("rita", "GET", "/-/org/rita/package").status_code == 404  # npm goes on to ask for the user
    assert team.send(team.token("bob", scopes=["npm:package:zoo:read"]), "GET", "/-/user/bob/package").json() == {}
    for who, path, code in [
        ("rita", "/-/user/mallory/package", 404),
        ("rita", "/-/user/nobody/package", 404),
        ("rita", f"/-/team/{team.slug}/none/package", 404),
        ("mallory", f"/-/org/{team.slug}/package", 404),
        ("", f"/-/org/{team.slug}/package", 401),
        ("", "/-/user/bob/package", 401),
    ]:
        assert team.send(who, "GET", path).status_code == code, (who, path)


def test_refusals_of_grants_change_nothing(team: Team) -> None:
    team.publish("@acme/bar")
    team_of(team)
    packages = f"/-/team/{team.slug}/devs/package"
    team.person("adam", Role.PUBLISHER)
    before = facts()
    for who, code in {"": 401, "gth_wrong": 401, "mallory": 404, "rita": 403, "adam": 403}.items():
        assert team.send(who, "PUT", packages, {"package": "@acme/bar", "permissions": "read-only"}).status_code == code, who
        assert team.send(who, "DELETE", packages, {"package": "@acme/bar"}).status_code == code, who
    for body, code in [
        ({"package": "nothing", "permissions": "read-only"}, 404),
        ({"package": "@acme/bar", "permissions": "own"}, 400),
        ({"package": "@acme/bar"}, 400),
        ({"package": "../x", "permissions": "read-only"}, 400),
        ({"package": None, "permissions": "read-only"}, 400),
        (b"{", 400),
        (b"[]", 400),
    ]:
        assert team.send("alice", "PUT", packages, body).status_code == code, body
    unknown = f"/-/team/{team.slug}/none/package"
    assert team.send("alice", "PUT", unknown, {"package": "@acme/bar", "permissions": "read-only"}).status_code == 404
    assert team.send("alice", "DELETE", unknown, {"package": "@acme/bar"}).status_code == 404
    assert team.send("alice", "POST", packages, {}).status_code == 405
    assert facts() == before


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_of_a_name(team: Team, name: str) -> None:
    team.publish("@acme/bar")
    assert team.send("rita", "GET", about(name, "visibility")).json() == {"public": False, "access": "restricted"}
    assert team.send("rita", "GET", about(name, "access")).status_code == 200
    assert set(team.send("rita", "GET", about(name, "collaborators")).json()) == {"alice", "bob", "rita"}
    assert set_access(team, "bob", {"access": "restricted"}, name).status_code == 200
    assert owners(team, "bob", ["bob", "rita"], name=name).status_code == 200
    assert maintainers(team) == ["bob", "rita"]
    assert team.send("rita", "PUT", f"/{name}", {"_id": "@acme/bar", "users": {"rita": True}}).status_code == 200
    assert team.send("alice", "GET", f"/{name}").json()["users"] == {"rita": True}


@pytest.mark.parametrize("status", [["public"], {"a": 1}, 7, True, "", "Public", "public\0"])
def test_a_status_of_another_type_is_refused_in_words(team: Team, status: object) -> None:
    team.publish("@acme/bar")
    before = facts()
    answer = set_access(team, "alice", {"access": status})
    assert (answer.status_code, answer.json()["error"]) == (400, "`access` is public or restricted.")
    assert facts() == before


def test_grants_tell_a_narrow_token_of_no_name_it_may_not_read(team: Team) -> None:
    team.publish("hidden-here")
    narrow, before = team.token("alice", scopes=["npm:package:@acme/*:write"]), facts()
    path = f"/-/team/{team.slug}/devs/package"
    for method, more in (("PUT", {"permissions": "read-write"}), ("DELETE", {})):
        answers = [team.send(narrow, method, path, {"package": name, **more}) for name in ("hidden-here", "not-here")]
        assert [answer.status_code for answer in answers] == [403, 403], method
        assert answers[0].json()["error"] == answers[1].json()["error"]
    assert facts() == before
