"""Users, whoami, workspaces, members, claims, events: exact codes and field names."""

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password

from tests.api.cast import ACME, V1, Cast, census
from tokens.services.issue import Wish, create_token
from workspaces.access import Grant
from workspaces.errors import Denied
from workspaces.models import Event, Membership, User
from workspaces.services.people import create_user


def test_whoami_names_the_person_their_token_and_roles(cast: Cast) -> None:
    assert cast.get(V1 + "whoami/", "bob") == {
        "username": "bob",
        "operator": False,
        "token": "bob's",
        "workspaces": [{"slug": "acme", "role": "publisher"}],
    }
    assert cast.get(V1 + "whoami/", "root")["operator"] is True


def test_an_operator_creates_and_lists_users(cast: Cast) -> None:
    made = cast.call("root", "POST", V1 + "users/", {"username": "dora", "email": "dora@example.org", "password": " spaces kept "})
    assert (made.status_code, made.json()) == (201, {"username": "dora", "email": "dora@example.org", "active": True})
    assert check_password(" spaces kept ", User.objects.get(username="dora").password)
    listed = cast.get(V1 + "users/", "root")
    assert set(listed) == {"count", "next", "previous", "results"}
    assert {"username": "dora", "email": "dora@example.org", "active": True} in listed["results"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "username"),
        ({"username": "dora"}, "password"),
        ({"username": "Dora", "password": "correct horse"}, "username"),
        ({"username": "do ra", "password": "correct horse"}, "username"),
        ({"username": "d" * 65, "password": "correct horse"}, "username"),
        ({"username": "do\x00ra", "password": "correct horse"}, "username"),
        ({"username": 7, "password": "correct horse"}, "username"),
        ({"username": ["dora"], "password": "correct horse"}, "username"),
        ({"username": None, "password": "correct horse"}, "username"),
        ({"username": "dora", "password": "short"}, "password"),
        ({"username": "dora", "password": "x" * 1025}, "password"),
        ({"username": "dora", "password": "correct horse", "email": "not an address"}, "email"),
        ({"username": "dora", "password": "correct horse", "is_superuser": True}, "is_superuser"),
    ],
)
def test_users_that_cannot_be(cast: Cast, body: dict[str, Any], field: str) -> None:
    before = census()
    answer = cast.call("root", "POST", V1 + "users/", body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert census() == before


def test_a_user_name_is_given_once(cast: Cast) -> None:
    before = census()
    answer = cast.call("root", "POST", V1 + "users/", {"username": "bob", "password": "correct horse"})
    assert (answer.status_code, answer.json()["code"]) == (409, "user_exists")
    assert census() == before


def test_a_workspace_is_created_listed_and_renamed(cast: Cast) -> None:
    made = cast.call("carol", "POST", V1 + "workspaces/", {"slug": "fresh", "name": "Fresh"})
    assert (made.status_code, made.json()) == (201, {"slug": "fresh", "name": "Fresh"})
    assert cast.get(V1 + "workspaces/", "carol")["results"] == [{"slug": "fresh", "name": "Fresh"}]
    assert cast.get(V1 + "workspaces/fresh/registries/", "carol")["count"] == 0
    assert cast.get(V1 + "workspaces/fresh/members/carol/", "carol") == {"username": "carol", "role": "owner", "active": True}
    renamed = cast.call("carol", "PATCH", V1 + "workspaces/fresh/", {"name": "New"})
    assert (renamed.status_code, renamed.json()) == (200, {"slug": "fresh", "name": "New"})
    assert cast.call("carol", "PATCH", V1 + "workspaces/fresh/", {}).status_code == 200


@pytest.mark.parametrize(
    "slug", ["", "Acme", "api", "new", "-a", "a-", "a" * 41, "a/b", "a b", "ä", "a\x00", 5, None, True, {}, "..", "a\n"]
)
def test_slugs_that_cannot_be(cast: Cast, slug: object) -> None:
    before = census()
    for path in (V1 + "workspaces/", ACME + "registries/"):
        answer = cast.call("alice", "POST", path, {"slug": slug})
        if slug == "a\n":  # surrounding white space is cut off
            continue
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["slug"])
    assert slug == "a\n" or census() == before


def test_a_slug_is_given_once(cast: Cast) -> None:
    answer = cast.call("mallory", "POST", V1 + "workspaces/", {"slug": "acme"})
    assert (answer.status_code, answer.json()["code"]) == (409, "workspace_exists")


def test_members_come_change_and_go(cast: Cast) -> None:
    made = cast.call("adam", "POST", ACME + "members/", {"username": "carol", "role": "publisher"})
    assert (made.status_code, made.json()) == (201, {"username": "carol", "role": "publisher", "active": True})
    again = cast.call("adam", "POST", ACME + "members/", {"username": "carol", "role": "reader"})
    assert (again.status_code, again.json()["code"]) == (409, "member_exists")
    changed = cast.call("adam", "PATCH", ACME + "members/carol/", {"role": "reader"})
    assert (changed.status_code, changed.json()["role"]) == (200, "reader")
    assert [one["username"] for one in cast.get(ACME + "members/")["results"]] == ["adam", "alice", "bob", "carol", "rita"]
    assert cast.call("adam", "DELETE", ACME + "members/carol/").status_code == 204
    assert cast.call("adam", "DELETE", ACME + "members/carol/").status_code == 404
    assert cast.call("carol", "GET", ACME).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "members/", {"username": "ghost", "role": "reader"}, 400),
        ("POST", "members/", {"username": "carol", "role": "king"}, 400),
        ("POST", "members/", {"username": "carol", "role": 40}, 400),
        ("POST", "members/", {"username": "carol"}, 400),
        ("POST", "members/", {"username": "carol", "role": "owner"}, 403),
        ("PATCH", "members/adam/", {"role": "owner"}, 403),
        ("PATCH", "members/alice/", {"role": "reader"}, 403),
        ("DELETE", "members/alice/", None, 403),
        ("PATCH", "members/carol/", {"role": "reader"}, 404),
        ("PATCH", "members/bob/", {"role": "reader", "username": "x"}, 400),
        ("DELETE", "members/%00/", None, 404),
    ],
)
def test_what_an_admin_may_not_do_to_members(cast: Cast, method: str, path: str, body: object, status: int) -> None:
    before = census()
    assert cast.call("adam", method, ACME + path, body).status_code == status
    assert census() == before


def test_the_last_owner_stays(cast: Cast) -> None:
    before = census()
    for method, body in (("PATCH", {"role": "admin"}), ("DELETE", None)):
        answer = cast.call("alice", method, ACME + "members/alice/", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert census() == before
    assert Membership.objects.filter(workspace=cast.acme, role=40).count() == 1


def test_an_owner_who_cannot_sign_in_is_no_owner_left(cast: Cast) -> None:
    Membership.objects.create(workspace=cast.acme, user=cast.people["carol"], role=40)
    User.objects.filter(username="carol").update(is_active=False)
    answer = cast.call("alice", "DELETE", ACME + "members/alice/")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert cast.call("alice", "DELETE", ACME + "members/carol/").status_code == 204


def test_an_operators_token_held_to_some_registries_does_not_act_for_the_installation(cast: Cast) -> None:
    cast.tokens["held"] = create_token(actor=cast.actor("root"), wish=Wish(name="held", registries=[cast.main.pk]))
    cast.tokens["reads"] = create_token(actor=cast.actor("root"), wish=Wish(name="reads", read_only=True))
    before = census()
    assert cast.call("held", "POST", V1 + "users/", {"username": "dora", "password": "correct horse"}).status_code == 403
    assert cast.call("held", "GET", V1 + "users/").status_code == 403
    assert cast.call("held", "POST", V1 + "workspaces/", {"slug": "fresh"}).status_code == 403
    assert cast.call("reads", "POST", V1 + "workspaces/", {"slug": "fresh"}).status_code == 403
    assert cast.call("reads", "GET", V1 + "users/").status_code == 200
    with pytest.raises(Denied):
        create_user(actor=replace(cast.actor("root"), grant=Grant(1, registries=frozenset())), username="dora", password="correct horse")
    assert census() == before


def test_claims_come_and_go(cast: Cast) -> None:
    made = cast.call("adam", "POST", ACME + "claims/", {"pattern": "Acme-*"})
    assert (made.status_code, made.json()["pattern"]) == (201, "acme-*")
    path = f"{ACME}claims/{made.json()['id']}/"
    assert cast.get(path, "rita")["pattern"] == "acme-*"
    assert cast.call("adam", "POST", ACME + "claims/", {"pattern": "acme-*"}).status_code == 409
    assert cast.call("adam", "DELETE", path).status_code == 204
    assert cast.call("adam", "DELETE", path).status_code == 404


@pytest.mark.parametrize("pattern", ["", "*", "@*", "@*/*", "a b", "a" * 215, "é", "a\x00", 5, ["a"], None, "a;b"])
def test_patterns_that_cannot_be_claimed(cast: Cast, pattern: object) -> None:
    before = census()
    answer = cast.call("adam", "POST", ACME + "claims/", {"pattern": pattern})
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["pattern"])
    assert census() == before


def test_events_tell_who_did_what(cast: Cast) -> None:
    cast.call("alice", "PATCH", ACME, {"name": "Acme Ltd"})
    newest = cast.get(ACME + "events/", "adam")["results"][0]
    assert set(newest) == {"id", "at", "actor", "action", "object", "old", "new"}
    assert (newest["actor"], newest["action"], newest["object"]) == ("alice", "workspace.renamed", "acme")
    assert (newest["old"], newest["new"]) == ({"name": "Acme"}, {"name": "Acme Ltd"})
    assert Event.objects.latest("id").token_name == "alice's"
