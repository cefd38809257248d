"""`npm owner`: a package's maintainers, and whom npm is told of."""

from tests.npm.rights import maintainers, make_public, owners, set_access
from tests.npm.team import Team, facts
from workspaces.access import Role
from workspaces.models import Event


def test_owners(team: Team) -> None:
    team.publish("@acme/bar")
    assert maintainers(team) == ["bob"]
    assert owners(team, "bob", ["bob", "rita"]).json()["maintainers"] == [{"name": "bob", "email": ""}, {"name": "rita", "email": ""}]
    assert maintainers(team) == ["bob", "rita"]
    assert team.publish("@acme/bar", "1.1.0", who="rita").status_code == 201
    team.person("adam", Role.READER)
    assert owners(team, "rita", ["adam", "bob", "rita"]).status_code == 200
    assert owners(team, "adam", ["adam", "rita"]).status_code == 200
    assert maintainers(team) == ["adam", "rita"]
    assert owners(team, "bob", ["bob"]).status_code == 403  # a publisher, and no maintainer any more
    assert set_access(team, "rita", {"access": "restricted"}).status_code == 200
    assert team.send("alice", "DELETE", f"/-/org/{team.slug}/user", {"user": "adam"}).status_code == 200
    assert maintainers(team) == ["rita"]
    assert Event.objects.filter(action="owners.changed").count() == 3


def test_refusals_of_owners_change_nothing(team: Team) -> None:
    team.publish("@acme/bar")
    team.person("adam", Role.PUBLISHER)
    rev = team.send("rita", "GET", "/@acme%2fbar").json()["_rev"]
    before = facts()
    for who, code in {"": 401, "gth_wrong": 401, "mallory": 404, "rita": 403, "adam": 403}.items():
        assert owners(team, who, ["bob", "rita"], rev=rev).status_code == code, who
    for wish in ({"read_only": True}, {"scopes": ["npm:*:*:*"]}):
        token = team.token("bob", **wish)
        before = facts()
        assert owners(team, token, ["bob", "rita"], rev=rev).status_code == 403
    for names, code in [([], 409), (["mallory"], 400), (["bob", "nobody-there"], 400), (["bob", "a\0"], 400)]:
        assert owners(team, "bob", names, rev=rev).status_code == code, names
    odd: list[object] = [None, {}, "bob", [1], [{}], [{"name": None}], ["bob"], [{"name": "bob"}] * 1001]
    for value in odd:
        assert team.send("bob", "PUT", f"/@acme%2fbar/-rev/{rev}", {"_id": "@acme/bar", "maintainers": value}).status_code == 400
    other = {"_id": "other", "maintainers": [{"name": "bob"}]}
    assert team.send("bob", "PUT", f"/@acme%2fbar/-rev/{rev}", other).status_code == 400
    assert owners(team, "bob", ["bob", "rita"], rev="0-x").status_code == 409
    assert "as npm owner does" in owners(team, "bob", ["bob", "rita"], rev="undefined").json()["error"]  # yarn 1
    assert owners(team, "bob", ["bob", "rita"], rev="undefined").status_code == 409
    assert team.send("alice", "PUT", "/nothing/-rev/1-x", {"maintainers": [{"name": "bob"}]}).status_code == 404
    assert facts() == before
    assert owners(team, "bob", ["bob", "rita"], rev=rev).status_code == 200
    before = facts()
    assert owners(team, "bob", ["bob"], rev=rev).status_code == 409  # the list of somebody who looked before
    assert owners(team, "bob", []).status_code == 409
    assert facts() == before


def test_a_publisher_who_left_is_dropped_from_the_list_and_hinders_nobody(team: Team) -> None:
    team.publish("@acme/bar")
    team.send("alice", "DELETE", f"/-/org/{team.slug}/user", {"user": "bob"})
    assert maintainers(team) == ["bob"]  # who published, as long as nobody is named
    assert owners(team, "alice", ["bob", "rita"]).status_code == 200
    assert maintainers(team) == ["rita"]


def test_a_publisher_made_reader_keeps_nothing_that_was_not_given(team: Team) -> None:
    team.publish("@acme/bar")
    team.send("alice", "PUT", f"/-/org/{team.slug}/user", {"user": "bob", "role": "reader"})
    before = facts()
    assert owners(team, "bob", ["bob", "rita"]).status_code == 403
    assert set_access(team, "bob", {"access": "restricted"}).status_code == 403
    assert team.publish("@acme/bar", "1.1.0").status_code == 403
    assert facts() == before


def test_people_are_told_of_to_their_own(team: Team) -> None:
    address = "/-/user/org.couchdb.user:"
    for who in ("rita", "bob"):
        assert team.send(who, "GET", f"{address}bob").json() == {
            "_id": "org.couchdb.user:bob", "name": "bob", "email": "bob@example.org",
        }  # fmt: skip
    texts = set()
    for who, name, code in [("rita", "mallory", 404), ("rita", "nobody", 404), ("mallory", "rita", 404), ("", "rita", 401)]:
        answer = team.send(who, "GET", f"{address}{name}")
        assert answer.status_code == code
        assert b"@example.org" not in answer.content
        texts |= {answer.content} if who == "rita" else set()
    assert len(texts) == 1
    make_public(team)
    answers = [team.send(who, "GET", f"{address}{name}") for who in ("", "mallory") for name in ("rita", "nobody")]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, answers[0].content)}


def test_owners_as_pnpm_12_names_them(team: Team) -> None:
    team.publish("@acme/bar")
    address = "/-/package/@acme%2fbar/owners"
    assert team.send("bob", "PUT", address, {"user": "rita"}).status_code == 200
    assert maintainers(team) == ["bob", "rita"]
    assert team.send("rita", "DELETE", f"{address}/bob").json()["maintainers"] == [{"name": "rita", "email": ""}]
    before = facts()
    for who, code in {"": 401, "gth_wrong": 401, "mallory": 404, "bob": 403}.items():
        assert team.send(who, "PUT", address, {"user": "bob"}).status_code == code
        assert team.send(who, "DELETE", f"{address}/rita").status_code == code
    assert team.send("rita", "PUT", address, {"user": "mallory"}).status_code == 400
    assert team.send("rita", "PUT", address, {}).status_code == 400
    assert team.send("rita", "DELETE", f"{address}/rita").status_code == 409
    assert team.send("rita", "DELETE", f"{address}/nobody").status_code == 404
    assert team.send("alice", "PUT", "/-/package/nothing/owners", {"user": "rita"}).status_code == 404
    assert facts() == before
