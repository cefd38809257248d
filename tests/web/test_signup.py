"""Making an account with a password: who may, and what is refused."""

import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from tests.web.conftest import HTML, PASSWORD, World
from workspaces.models import Event, User

PAGE = "/www/signup"
GOOD = {"username": "mona", "email": "mona@example.org", "new": PASSWORD, "repeat": PASSWORD}


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> Iterator[None]:
    settings.SIGNUP = "open"
    cache.clear()
    yield
    cache.clear()  # whoever comes next signs in from the same address


def test_an_open_installation_takes_anybody(nobody: Client) -> None:
    assert 'href="/www/signup?next=/acme/"' in nobody.get("/login?next=/acme/").content.decode()
    assert 'name="next" value="/acme/"' in nobody.get(f"{PAGE}?next=/acme/").content.decode()
    answer = nobody.post(PAGE, {**GOOD, "next": "/acme/", "is_superuser": "on", "is_staff": "on"})
    assert (answer.status_code, answer["Location"]) == (302, "/acme/")
    person = User.objects.get(username="mona")
    assert (person.email, person.is_superuser, person.is_staff, person.check_password(PASSWORD)) == ("mona@example.org", False, False, True)
    assert not person.memberships.exists()
    assert nobody.get("/acme/").status_code == 404
    told = [(event.action, event.new) for event in Event.objects.filter(actor="mona").order_by("id")]
    assert told == [("user.created", {"username": "mona", "by": "password"}), ("session.opened", {"by": "password"})]
    assert Client().post("/login", {"username": "mona", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("mode", ["invited", "closed"])
def test_others_take_nobody_uninvited(mode: str, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = mode
    assert PAGE not in nobody.get("/login").content.decode()
    assert nobody.get(PAGE)["Location"] == "/www/login"
    assert nobody.post(PAGE, GOOD)["Location"] == "/www/login"
    assert not User.objects.filter(username="mona").exists()


@pytest.mark.parametrize(("mode", "seconds", "status"), [("invited", 60, 200), ("invited", -1, 302), ("closed", 60, 302)])
def test_an_invitation_opens_the_form(mode: str, seconds: int, status: int, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = mode
    session = nobody.session
    session["invited_until"] = time.time() + seconds
    session.save()
    assert nobody.get(PAGE).status_code == status
    nobody.post(PAGE, GOOD)
    assert User.objects.filter(username="mona").exists() is (status == 200)


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"username": "alice"}, 409, "exists already"),
        ({"username": "Mona"}, 400, "lower-case"),
        ({"username": "admin"}, 400, "choose another"),
        ({"username": "mona\x00"}, 400, "Null characters"),
        ({"email": "nowhere"}, 400, "not an e-mail address"),
        ({"repeat": "something else"}, 400, "not the same"),
        ({"new": "short", "repeat": "short"}, 400, "8 to 1024"),
        ({"new": "x" * 1025, "repeat": "x" * 1025}, 400, "8 to 1024"),
        ({"new": "password1", "repeat": "password1"}, 400, "too common"),
        ({"new": "mona@example", "repeat": "mona@example"}, 400, "too similar"),
    ],
)
def test_what_is_refused_makes_nobody(change: dict[str, str], status: int, said: str, nobody: Client, world: World) -> None:
    people, events = User.objects.count(), Event.objects.count()
    answer = nobody.post(PAGE, {**GOOD, **change})
    assert (answer.status_code, said in answer.content.decode()) == (status, True), answer.content.decode()[-2500:]
    assert (User.objects.count(), Event.objects.count()) == (people, events)
    assert f'value="{PASSWORD}"' not in answer.content.decode()


def test_next_leads_to_our_own_pages_alone(nobody: Client) -> None:
    assert nobody.post(PAGE, {**GOOD, "next": "https://evil.example"})["Location"] == "/"


def test_many_who_sign_up_are_throttled(nobody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokens.throttle.SIGN_UPS_PER_ADDRESS", 2)
    for number in range(2):
        assert Client().post(PAGE, {**GOOD, "username": f"mona-{number}"}).status_code == 302
    answer = nobody.post(PAGE, GOOD)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    assert not User.objects.filter(username="mona").exists()


def test_the_form_needs_its_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": HTML})
    assert client.post(PAGE, GOOD).status_code == 403
    assert not User.objects.filter(username="mona").exists()
