"""`npm profile get` and `set`: what is kept, what is refused, and that a refusal changes nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db.models import Q
from django.test import Client

from tests.npm.team import PASSWORD, Team, facts
from tokens.models import Token
from tokens.services.issue import Wish, create_service_token, create_token
from workspaces.access import Role
from workspaces.models import Event, User

USER, NEW = "/-/npm/v1/user", "battery staple horse"
ECHO = {"email": "bob@example.org", "fullname": None, "homepage": None, "freenode": None, "twitter": None, "github": None}


@pytest.fixture(autouse=True)
def _fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def everything() -> tuple[object, ...]:
    people = sorted(User.objects.values_list("username", "email", "first_name", "last_name", "password"))
    return (*facts(), people)


def test_get_has_what_npm_prints(team: Team) -> None:
    told = team.send("rita", "GET", USER).json()
    assert set(told) == {"name", "email", "email_verified", "fullname", "created", "updated", "tfa", "cidr_whitelist"}
    assert (told["name"], told["email"], told["email_verified"], told["tfa"]) == ("rita", "rita@example.org", False, None)
    assert told["created"] == told["updated"]


def test_set_as_npm_does_it(team: Team) -> None:
    """It sends every writable key it knows back, empty ones as null."""
    answer = team.send("bob", "POST", USER, {**ECHO, "fullname": "  Bob Ó Briain "})
    assert (answer.status_code, answer.json()["fullname"], answer.json()["email"]) == (200, "Bob Ó Briain", "bob@example.org")
    again = team.send("bob", "POST", USER, {**ECHO, "fullname": "Bob Ó Briain", "email": "b@example.org"})
    assert again.json()["email"] == "b@example.org"
    assert again.json()["updated"] > again.json()["created"]
    assert team.send("bob", "GET", USER).json() == again.json()
    events = Event.objects.filter(action="profile.changed").order_by("id")
    changes: list[tuple[Any, Any]] = [(event.old, event.new) for event in events]
    assert [new["full_name"] for _, new in changes] == ["Bob Ó Briain"] * 2
    assert (changes[1][0]["email"], changes[1][1]["email"]) == ("bob@example.org", "b@example.org")
    before = everything()
    assert team.send("bob", "POST", USER, {**ECHO, "fullname": "Bob Ó Briain", "email": "b@example.org"}).status_code == 200
    assert everything() == before, "nothing differed, so nothing is recorded"
    cleared = team.send("bob", "POST", USER, {"email": None, "fullname": ""}).json()
    assert (cleared["email"], cleared["fullname"]) == ("", "")


def test_a_new_password(team: Team) -> None:
    browser = Client()
    browser.force_login(team.people["bob"])
    answer = team.send("bob", "POST", USER, {**ECHO, "password": {"old": PASSWORD, "new": NEW}})
    assert (answer.status_code, "password" in answer.json()) == (200, False)
    assert browser.get("/account/").status_code == 302
    login = {"name": "bob", "password": NEW}
    assert team.send("", "PUT", "/-/user/org.couchdb.user:bob", login).status_code == 201
    assert team.send("", "PUT", "/-/user/org.couchdb.user:bob", {**login, "password": PASSWORD}).status_code == 401
    assert team.send("bob", "GET", "/-/whoami").status_code == 200, "tokens stay: builds hang on them"
    event = Event.objects.get(action="password.changed")
    assert (event.actor, event.token_name) == ("bob", "tests")
    assert NEW not in str(event.__dict__)


BAD: list[tuple[Any, int, str | None]] = [
    ({"email": "no address"}, 400, "email"),
    ({"email": "x" * 250 + "@example.org"}, 400, "email"),
    ({"email": 5}, 400, "email"),
    ({"email": "a@b.example\x00"}, 400, "email"),
    ({"fullname": ["Bob"]}, 400, "fullname"),
    ({"fullname": "x" * 151}, 400, "fullname"),
    ({"fullname": "a\nb"}, 400, "fullname"),
    ({"homepage": "https://bob.example.org"}, 400, "homepage"),
    ({"github": "bob"}, 400, "github"),
    ({"name": "alice"}, 400, "name"),
    ({"is_superuser": True}, 400, "is_superuser"),
    ({"password": "new"}, 400, "password"),
    ({"password": {"old": PASSWORD}}, 400, "password"),
    ({"password": {"old": PASSWORD, "new": 5}}, 400, "password"),
    ({"password": {"old": PASSWORD, "new": "short"}}, 400, "new"),
    ({"password": {"old": PASSWORD, "new": "x" * 1025}}, 400, "new"),
    ({"password": {"old": PASSWORD, "new": PASSWORD}}, 400, "new"),
    ({"password": {"old": PASSWORD, "new": "password123"}}, 400, "new"),
    ({"password": {"old": PASSWORD, "new": "bob@example.org"}}, 400, "new"),
    ({"password": {"old": "wrong", "new": NEW}}, 401, None),
    ({"password": {"old": "x" * 900_000, "new": NEW}}, 401, None),
    ({"email": "b@example.org", "password": {"old": "wrong", "new": NEW}}, 401, None),
    ({"email": "no address", "password": {"old": PASSWORD, "new": NEW}}, 400, "email"),
    ({"tfa": {"mode": "auth-and-writes", "password": PASSWORD}}, 422, "tfa"),
    ({"tfa": ["123456"]}, 422, "tfa"),
    ({"tfa": {"mode": "disable"}, "homepage": "x"}, 400, "homepage"),
    ([], 400, None),
    (b"{", 400, None),
    (b"", 400, None),
]


def test_what_cannot_be_changes_nothing(team: Team) -> None:
    before = everything()
    for body, status, field in BAD:
        cache.clear()
        answer = team.send("bob", "POST", USER, body)
        assert answer.status_code == status, (repr(body)[:200], answer.content)
        assert answer.json()["error"].endswith(".")
        assert list(answer.json().get("fields", {})) == ([field] if field else [])
        assert "WWW-Authenticate" not in answer.headers, "npm would print a text of its own"
        assert everything() == before, repr(body)[:200]


def test_a_second_factor_that_is_off_can_be_turned_off(team: Team) -> None:
    before = everything()
    answer = team.send("bob", "POST", USER, {"tfa": {"mode": "disable", "password": PASSWORD}})
    assert (answer.status_code, answer.json()["tfa"]) == (200, None)
    assert everything() == before


def test_who_may_not(team: Team) -> None:
    bob = team.actor("bob")
    wishes = {
        "read-only": Wish(name="r", read_only=True),
        "scoped": Wish(name="s", scopes=["npm:*:*:*"]),
        "held": Wish(name="h", registries=[team.registry.pk]),
    }
    secrets = {name: create_token(actor=bob, wish=wish).secret for name, wish in wishes.items()}
    service = create_service_token(actor=team.actor("alice"), workspace=team.space, role=Role.OWNER, wish=Wish(name="ci")).secret
    before = everything()
    for secret in (*secrets.values(), service):
        for body in ({"email": "evil@example.org"}, {"password": {"old": PASSWORD, "new": NEW}}):
            assert team.send(secret, "POST", USER, body).status_code == 403
    for secret in secrets.values():
        assert team.send(secret, "GET", USER).json()["name"] == "bob"
    assert team.send(service, "GET", USER).status_code == 401
    assert team.send("", "POST", USER, {"email": "x@example.org"}).status_code == 401
    assert team.send("mallory", "POST", USER, {"email": "x@example.org"}).status_code == 404
    assert everything() == before


def test_guessing_the_old_password_is_throttled(team: Team) -> None:
    before = everything()
    for number in range(10):
        assert team.send("bob", "POST", USER, {"password": {"old": f"wrong {number}", "new": NEW}}).status_code == 401
    answer = team.send("bob", "POST", USER, {"password": {"old": PASSWORD, "new": NEW}})
    assert (answer.status_code, answer.json()["code"]) == (429, "login_throttled")
    assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert everything() == before


def test_two_at_once_change_it_once(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's change between our check and our write is not overwritten."""

    def slow(word: str) -> str:
        User.objects.filter(username="bob").update(password="md5$other")
        return f"hash of {word}"

    monkeypatch.setattr("tokens.services.account.make_password", slow)
    answer = team.send("bob", "POST", USER, {"password": {"old": PASSWORD, "new": NEW}})
    assert (answer.status_code, answer.json()["code"]) == (409, "password_changed")
    assert User.objects.get(username="bob").password == "md5$other"
    assert not Event.objects.filter(~Q(new=None), action="password.changed").exists()
    assert Token.objects.filter(owner__username="bob").exists()
