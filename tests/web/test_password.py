"""Changing one's own password in the browser."""

from collections.abc import Callable, Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from tests.web.conftest import HTML, PASSWORD, World
from tokens.models import LoginSession, Token
from tokens.services.issue import Wish, create_token
from tokens.services.web_login import answer_login, start_login
from workspaces.models import Event, User

PAGE = "/account/password/"
NEW = "battery staple horse"
GOOD = {"old": PASSWORD, "new": NEW, "repeat": NEW}


@pytest.fixture(autouse=True)
def _fresh_throttle() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()  # whoever comes next signs in from the same address


def is_password(word: str) -> bool:
    return User.objects.get(username="alice").check_password(word)


def test_this_browser_stays_and_every_other_is_signed_out(alice: Client, sign_in: Callable[[str], Client], world: World) -> None:
    other = sign_in("alice")
    token = create_token(actor=world.actor("alice"), wish=Wish(name="ci")).token
    login = start_login(registry_path="acme/main", client="npm", ip="192.0.2.7")
    answer_login(actor=world.actor("alice"), page_id=login.page_id, approve=True)
    answer = alice.post(PAGE, GOOD)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert "signed out" in alice.get("/account/").content.decode()
    assert other.get("/account/").status_code == 302
    assert is_password(NEW)
    assert Token.objects.filter(pk=token.pk).exists()
    assert not LoginSession.objects.exists()
    event = Event.objects.get(action="password.changed")
    assert (event.actor, event.object, event.new) == ("alice", "alice", {"tokens_revoked": 0})
    assert Client(headers={"accept": HTML}).post("/login", {"username": "alice", "password": PASSWORD}).status_code == 401


def test_tokens_go_too_when_asked(alice: Client, world: World) -> None:
    for who in ("alice", "alice", "bob"):
        create_token(actor=world.actor(who), wish=Wish(name=f"{who}'s"))
    alice.post(PAGE, {**GOOD, "revoke_tokens": "on"})
    assert [token.name for token in Token.objects.all()] == ["bob's"]
    assert Event.objects.get(action="password.changed").new == {"tokens_revoked": 2}
    assert Event.objects.filter(action="token.revoked").count() == 2


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"old": "wrong wrong"}, 403, "current password is wrong"),
        ({"old": ""}, 400, "required"),
        ({"repeat": "something else"}, 400, "not the same"),
        ({"new": "short", "repeat": "short"}, 400, "8 to 1024"),
        ({"new": "x" * 1025, "repeat": "x" * 1025}, 400, "8 to 1024"),
        ({"new": PASSWORD, "repeat": PASSWORD}, 400, "is the old one"),
        ({"new": "password1", "repeat": "password1"}, 400, "too common"),
        ({"new": "alice-123", "repeat": "alice-123"}, 400, "too similar"),
    ],
)
def test_what_is_refused_changes_nothing(alice: Client, change: dict[str, str], status: int, said: str) -> None:
    events = Event.objects.count()
    answer = alice.post(PAGE, {**GOOD, **change})
    assert (answer.status_code, said in answer.content.decode()) == (status, True), answer.content.decode()[-3000:]
    assert is_password(PASSWORD)
    assert Event.objects.count() == events
    for word in (NEW, PASSWORD, "wrong wrong"):
        assert f'value="{word}"' not in answer.content.decode()


def test_guessing_is_throttled(alice: Client) -> None:
    for number in range(10):
        assert alice.post(PAGE, {**GOOD, "old": f"wrong {number}"}).status_code == 403
    answer = alice.post(PAGE, GOOD)
    assert answer.status_code == 429
    assert 50 <= int(answer["Retry-After"]) <= 60
    assert is_password(PASSWORD)
