"""`npm star`, `unstar` and `stars`, in npm's shape and in pnpm 12's."""

from typing import Any

import pytest

from packages.models import Star
from registries.models import Registry
from tests.npm.team import Team, facts
from workspaces.models import Event


def star(team: Team, who: str, users: object, name: str = "left", rev: str = "") -> Any:
    path = f"/{name}/-rev/{rev}" if rev else f"/{name}"
    return team.send(who, "PUT", path, {"_id": name, "_rev": rev or "1-x", "users": users})


def shown(team: Team, name: str = "left") -> dict[str, bool] | None:
    found: dict[str, bool] | None = team.send("bob", "GET", f"/{name}").json().get("users")
    return found


def stars(team: Team, who: str, of: str) -> list[str]:
    rows = team.send(who, "GET", f'/-/_view/starredByUser?key="{of}"').json()["rows"]
    return [row["value"] for row in rows]


def test_star_and_unstar(team: Team) -> None:
    team.publish("left")
    team.publish("@acme/bar")
    revision = team.send("bob", "GET", "/left").json()["_rev"]
    assert star(team, "rita", {"rita": True, "bob": True}).json()["starred"] is True
    assert shown(team) == {"rita": True}
    assert team.send("bob", "GET", "/left").json()["_rev"] != revision
    assert star(team, "bob", {"rita": True, "bob": True}, rev="7-x").json()["starred"] is True
    assert star(team, "rita", {"rita": True}, "@acme%2fbar").status_code == 200
    assert shown(team) == {"bob": True, "rita": True}
    assert stars(team, "bob", "rita") == ["@acme/bar", "left"]
    assert star(team, "bob", {}).json()["starred"] is False
    assert shown(team) == {"rita": True}
    assert stars(team, "rita", "bob") == stars(team, "rita", "mallory") == stars(team, "rita", "nobody") == []
    assert list(Event.objects.filter(action__startswith="package.").order_by("id").values_list("action", "actor")) == [
        ("package.starred", "rita"), ("package.starred", "bob"), ("package.starred", "rita"), ("package.unstarred", "bob"),
    ]  # fmt: skip


def test_visitors_of_a_public_registry_are_told_no_names(team: Team) -> None:
    Registry.objects.filter(pk=team.registry.pk).update(visibility="public")
    team.publish("left")
    assert star(team, "rita", {"rita": True}).json()["starred"] is True
    assert shown(team) is None
    assert team.send("", "GET", "/left").status_code == 200
    assert b"rita" not in team.send("", "GET", "/left").content
    assert stars(team, "bob", "rita") == ["left"]


def test_the_same_again_changes_nothing(team: Team) -> None:
    team.publish("left")
    star(team, "rita", {"rita": True})
    etag, before = team.send("bob", "GET", "/left")["ETag"], facts()
    for _ in range(2):
        assert star(team, "rita", {"rita": True}).status_code == 200
        assert star(team, "bob", {"rita": True}).status_code == 200
    assert (team.send("bob", "GET", "/left")["ETag"], facts()) == (etag, before)


def test_the_abbreviated_form_names_no_people(team: Team) -> None:
    team.publish("left")
    star(team, "rita", {"rita": True})
    assert "users" not in team.send("bob", "GET", "/left", accept="application/vnd.npm.install-v1+json").json()


def test_a_scoped_token_lists_only_what_it_may_read(team: Team) -> None:
    for name in ("left", "@acme/bar"):
        team.publish(name)
        star(team, "rita", {"rita": True}, name.replace("/", "%2f"))
    assert stars(team, team.token("bob", scopes=["npm:package:@acme/*:read"]), "rita") == ["@acme/bar"]


@pytest.mark.parametrize("rev", ["", "1-x"])
def test_refusals_change_nothing(team: Team, rev: str) -> None:
    team.publish("left")
    wishes: tuple[dict[str, Any], ...] = ({"read_only": True}, {"scopes": ["npm:*:*:read"]}, {"scopes": []})
    tokens, before = [team.token("rita", **wish) for wish in wishes], facts()
    for who, code in {"": 401, "gth_wrong": 401, "mallory": 404}.items():
        assert star(team, who, {who: True}, rev=rev).status_code == code
    for token in tokens:
        assert star(team, token, {"rita": True}, rev=rev).status_code == 403
    assert star(team, "rita", {"rita": True}, "nothing", rev=rev).status_code == 404
    odd: tuple[object, ...] = ([], "rita", 1, None)
    for users in odd:
        assert star(team, "bob", users, rev=rev).status_code == 400
    Registry.objects.filter(pk=team.registry.pk).update(visibility="public")
    assert star(team, "", {"": True}, rev=rev).status_code == 401
    assert star(team, "mallory", {"mallory": True}, rev=rev).status_code == 403
    assert not Star.objects.exists()
    assert facts() == before


def test_a_reader_who_sends_something_else_is_refused_as_ever(team: Team) -> None:
    team.publish("left")
    document = team.send("rita", "GET", "/left").json()
    before = facts()
    wish = {"users": {}, "_attachments": {"x": {"data": "AAAA"}}}
    bodies: tuple[object, ...] = (document, {**document, "users": {"rita": True}}, {}, b"", b"{", [], wish)
    for body in bodies:
        assert team.send("rita", "PUT", "/left", body).status_code == 403, body
    assert team.send("rita", "PUT", f"/left/-rev/{document['_rev']}", {**document, "versions": {}}).status_code == 403
    assert facts() == before


@pytest.mark.parametrize("query", ["", "?key=", "?key=alice", "?key=7", '?key="alice', "?key=%00", '?key="%00"'])
def test_odd_questions_for_stars(team: Team, query: str) -> None:
    answer = team.send("rita", "GET", f"/-/_view/starredByUser{query}")
    assert answer.status_code == 400
    assert "rows" not in answer.json()


def test_a_name_that_nobody_has(team: Team) -> None:
    assert stars(team, "rita", "\\u0000") == stars(team, "rita", "a%20b") == []


def test_the_addresses_of_pnpm_12(team: Team) -> None:
    team.publish("@acme/bar")
    wish = {"name": "@acme/bar", "package": "@acme/bar"}
    assert team.send("rita", "PUT", "/-/user/v1/star", wish).status_code == 200
    assert team.send("bob", "PUT", "/-/user/package/@acme%2fbar/star").status_code == 200
    assert shown(team, "@acme%2fbar") == {"bob": True, "rita": True}
    assert team.send("rita", "GET", "/-/user/v1/star").json() == ["@acme/bar"]
    assert (
        team.send("rita", "GET", "/-/user/bob/stars").json() == team.send("rita", "GET", "/-/util/user/bob/stars").json() == ["@acme/bar"]
    )
    assert team.send("rita", "DELETE", "/-/user/v1/star", wish).status_code == 200
    assert team.send("bob", "DELETE", "/-/user/package/@acme%2fbar/star").status_code == 200
    assert not Star.objects.exists()
    before, reading = facts(), {"": 401, "mallory": 404}
    for who, code in reading.items():
        for path in ("/-/user/v1/star", "/-/user/bob/stars"):
            assert team.send(who, "GET", path).status_code == code
        assert team.send(who, "PUT", "/-/user/v1/star", wish).status_code == code
        assert team.send(who, "PUT", "/-/user/package/@acme%2fbar/star").status_code == code
    assert team.send("rita", "GET", "/-/user/mallory/stars").status_code == 404
    assert team.send("rita", "PUT", "/-/user/package/nothing/star").status_code == 404
    odd: tuple[object, ...] = ({"package": "../x"}, {"package": 1}, {}, b"", [])
    for body in odd:
        assert team.send("rita", "PUT", "/-/user/v1/star", body).status_code == 400
    assert facts() == before
