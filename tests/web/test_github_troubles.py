"""What goes wrong between here and GitHub: each ends on a page that says what to do, with nobody signed in and nothing changed."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.parts.github import EMAILS, EXCHANGE, USER, GitHub, Person, Trouble
from tests.web.conftest import HTML, World
from tests.web.github import BACK, BEGIN, linked, through, to_github, who
from tokens.models import Identity
from tokens.services import identities
from workspaces.models import Event, User

AGAIN = "Try GitHub again"


def page_of(answer: Any, status: int) -> str:
    """The page, of which nobody came in."""
    assert answer.status_code == status, answer.content.decode()[-1500:]
    page = answer.content.decode()
    assert "<main" in page
    assert "<script>x" not in page
    assert not Identity.objects.exists()
    assert not Event.objects.filter(action__startswith="session.").exists()
    return str(page)


def test_who_says_no_at_github(hub: GitHub, nobody: Client) -> None:
    hub.denies = True
    page = page_of(through(nobody, "/acme/tokens/?x=1"), 403)
    assert AGAIN in page
    assert "was cancelled" in page
    assert 'name="next" value="/acme/tokens/?x=1"' in page, "where they wanted to go is not forgotten"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?code=abc",
        "?state=abc",
        "?code=abc&state=",
        "?code=abc&state=%00",
        "?code=abc&state=" + "x" * 5000,
        "?code=abc&state=a&state=b",
        "?error=",
        "?error=%00%00",
        "?error=weird&error_description=%3Cscript%3Ex",
        "?code[]=a&state[]=b",
        "?code=" + "9" * 5000,
    ],
)
def test_what_nobody_was_sent_back_with(query: str, hub: GitHub, nobody: Client) -> None:
    answer = nobody.get(BACK + query)
    assert answer.status_code in {400, 502}
    page_of(answer, answer.status_code)
    assert hub.asked == [], "GitHub is asked nothing"


def test_the_state_belongs_to_the_browser_that_began(hub: GitHub, nobody: Client) -> None:
    """An attacker's own answer, brought to somebody else's browser, signs that browser in nowhere."""
    linked_to_attacker = to_github(nobody)
    victim = Client(headers={"accept": HTML})
    page_of(victim.get(linked_to_attacker), 400)
    assert f"POST {EXCHANGE}" not in hub.asked
    to_github(victim)
    page_of(victim.get(linked_to_attacker), 400)


def test_the_state_counts_once(hub: GitHub, nobody: Client) -> None:
    back = to_github(nobody)
    assert nobody.get(back)["Location"] == "/www/signup"
    page_of(nobody.get(back), 400)
    assert hub.asked.count(f"POST {EXCHANGE}") == 1


def test_a_stolen_session_that_still_holds_the_state_cannot_use_it_twice(hub: GitHub, nobody: Client) -> None:
    back = to_github(nobody)
    session = nobody.session
    kept = dict(session.items())
    nobody.get(back)
    session = nobody.session
    session.update(kept)
    session.save()
    page_of(nobody.get(back), 400)


def test_the_state_lives_ten_minutes(hub: GitHub, nobody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    back, now = to_github(nobody), time.time()
    monkeypatch.setattr("social_core.backends.oauth._time", lambda: now + 602)
    page_of(nobody.get(back), 400)
    monkeypatch.setattr("social_core.backends.oauth._time", lambda: now + 590)
    assert nobody.get(back)["Location"] == "/www/signup"


def test_two_tabs_have_an_errand_each(hub: GitHub, nobody: Client) -> None:
    linked("alice", hub.person)
    first, second = to_github(nobody, "/acme/people/"), to_github(nobody, "/acme/claims/")
    assert nobody.get(second)["Location"] == "/acme/claims/"
    assert nobody.get(first)["Location"] == "/acme/people/"


def test_a_code_github_has_seen_already(hub: GitHub, nobody: Client) -> None:
    back = to_github(nobody)
    hub.codes.clear()
    page = page_of(nobody.get(back), 400)
    assert "used already or is too old" in page
    assert AGAIN in page


def test_a_wrong_secret_is_the_operators_to_mend(hub: GitHub, nobody: Client, settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.SOCIAL_AUTH_GITHUB_SECRET = "not-that-one"
    page = page_of(through(nobody), 502)
    assert "OAUTH_GITHUB_SECRET" in page
    assert AGAIN not in page
    assert "incorrect_client_credentials" in caplog.text
    assert "not-that-one" not in caplog.text + page


def described(**other: object) -> bytes:
    return json.dumps({**Person().described, **other}).encode()


STRANGE = {
    "a page": b"<!doctype html><title>Unicorn!</title>",
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "a number": b"7",
    "no utf-8": b"\xff\xfe{}",
    "deep": b"[" * 100_000,
    "much": b'{"x": "' + b"y" * 600_000 + b'"}',
}
NO_ONE = {
    "no id": described(id=None),
    "id 0": described(id=0),
    "id true": described(id=True),
    "id as text": described(id="583231"),
    "id as number with a point": described(id=1.5),
    "no login": described(login=None),
    "login of another kind": described(login={"a": 1}),
    "login with a tag in it": described(login="<script>x"),
    "login too long": described(login="x" * 5000),
}


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("path", [EXCHANGE, USER])
def test_strange_answers(path: str, body: bytes, hub: GitHub, nobody: Client) -> None:
    hub.troubles[path] = Trouble(body=body)
    assert AGAIN in page_of(through(nobody), 502)


@pytest.mark.parametrize("body", [b"{}", b'{"access_token": ""}', b'{"access_token": ["a"]}', b'{"access_token": null, "scope": 1}'])
def test_an_exchange_without_a_token(body: bytes, hub: GitHub, nobody: Client) -> None:
    hub.troubles[EXCHANGE] = Trouble(body=body)
    page_of(through(nobody), 502)


def test_a_token_that_no_header_can_carry(hub: GitHub, nobody: Client) -> None:
    hub.troubles[EXCHANGE] = Trouble(body=b'{"access_token": "a\\r\\nX-Evil: 1"}')
    page_of(through(nobody), 502)
    assert not [line for line in hub.asked if USER in line]


@pytest.mark.parametrize("body", NO_ONE.values(), ids=NO_ONE)
def test_an_account_that_is_nobodys(body: bytes, hub: GitHub, nobody: Client) -> None:
    hub.troubles[USER] = Trouble(body=body)
    page_of(through(nobody), 502)


@pytest.mark.parametrize("name", [None, 7, "x" * 5000, "a\u202eb\x00", "  "])
def test_a_name_that_cannot_be_kept_is_cut_or_left_out(name: object, hub: GitHub, nobody: Client) -> None:
    hub.person.name = name
    through(nobody)
    assert nobody.post("/www/signup", {"username": "mona", "email": ""}).status_code == 302
    assert len(User.objects.get(username="mona").first_name) in {0, 150}


@pytest.mark.parametrize(
    ("status", "expected"), [(500, 503), (502, 503), (503, 503), (429, 503), (400, 502), (401, 502), (403, 502), (404, 502), (422, 502)]
)
@pytest.mark.parametrize("path", [EXCHANGE, USER])
def test_statuses(path: str, status: int, expected: int, hub: GitHub, nobody: Client) -> None:
    hub.troubles[path] = Trouble(status, b'{"message": "<script>x"}')
    answer = through(nobody)
    page_of(answer, expected)
    assert ("Retry-After" in answer) is (expected == 503)


def test_a_redirect_takes_no_secret_along(hub: GitHub, nobody: Client, alice: Client) -> None:
    with GitHub() as thief:
        for path in (EXCHANGE, USER):
            hub.troubles = {path: Trouble(307, location=f"{thief.url}{path}")}
            page_of(through(nobody), 502)
        assert not [line for line in thief.asked if line.startswith("POST")]
        assert thief.tokens == {}


@pytest.mark.parametrize("path", [EXCHANGE, USER])
def test_github_is_slow(path: str, hub: GitHub, nobody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.github.SECONDS", 0.5)
    hub.troubles[path] = Trouble(after=3.0)
    assert "too slow" in page_of(through(nobody), 504)


def test_github_is_down(hub: GitHub, nobody: Client, settings: Settings) -> None:
    back = to_github(nobody)
    settings.SOCIAL_AUTH_GITHUB_URL = "http://127.0.0.1:1"
    answer = nobody.get(back)
    assert "cannot be reached" in page_of(answer, 503)
    assert int(answer["Retry-After"]) > 0


EMAILLESS: dict[str, Callable[[GitHub], object]] = {
    "refused": lambda hub: hub.troubles.update({EMAILS: Trouble(404)}),
    "broken": lambda hub: hub.troubles.update({EMAILS: Trouble(500)}),
    "a page": lambda hub: hub.troubles.update({EMAILS: Trouble(body=b"<html>")}),
    "no list": lambda hub: setattr(hub.person, "emails", {"email": "x@example.org"}),
    "odd items": lambda hub: setattr(hub.person, "emails", [None, 1, {"primary": True, "verified": True}]),
    "not proved": lambda hub: setattr(hub.person, "emails", [{"email": "x@example.org", "primary": True, "verified": False}]),
    "no address": lambda hub: setattr(hub.person, "emails", [{"email": "<b>", "primary": True, "verified": True}]),
}


@pytest.mark.parametrize("trouble", EMAILLESS.values(), ids=EMAILLESS)
def test_without_a_proved_address_the_field_is_empty(trouble: Callable[[GitHub], object], hub: GitHub, nobody: Client) -> None:
    trouble(hub)
    assert through(nobody)["Location"] == "/www/signup"
    page = nobody.get("/www/signup")
    assert page.context["form"].initial["email"] == ""


@pytest.mark.parametrize(
    "address", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\t//x", "/a\r\nb"]
)
def test_next_leads_to_our_own_pages_alone(address: str, hub: GitHub, nobody: Client) -> None:
    linked("alice", hub.person)
    assert through(nobody, address)["Location"] == "/"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"username": ""}, 400),
        ({"username": "Mona"}, 400),
        ({"username": "a b"}, 400),
        ({"username": "mona\x00"}, 400),
        ({"username": "x" * 41}, 400),
        ({"username": "x" * 100_000}, 400),
        ({"username": "mona.lisa"}, 400),
        ({"username": "-mona"}, 400),
        ({"username": "<script>x"}, 400),
        ({"username": "admin"}, 400),
        ({"username": "gatehouse"}, 400),
        ({"username": "alice"}, 409),
        ({"username": "mona", "email": "no address"}, 400),
        ({"username": "mona", "email": "a@example.org\x00"}, 400),
        ({"username": "mona", "email": "x" * 300 + "@example.org"}, 400),
    ],
)
def test_a_form_that_is_refused_makes_nobody_and_can_be_sent_again(
    fields: dict[str, str], status: int, hub: GitHub, nobody: Client
) -> None:
    through(nobody)
    people = User.objects.count()
    page_of(nobody.post("/www/signup", fields), status)
    assert User.objects.count() == people
    assert nobody.post("/www/signup", {"username": "mona", "email": "", "is_superuser": "on", "uid": "1"}).status_code == 302
    assert not User.objects.get(username="mona").is_superuser
    assert Identity.objects.get().uid == str(hub.person.id)


def test_two_browsers_sign_up_with_one_account(hub: GitHub, nobody: Client) -> None:
    other = Client(headers={"accept": HTML})
    through(nobody)
    through(other)
    assert nobody.post("/www/signup", {"username": "mona", "email": ""}).status_code == 302
    assert other.post("/www/signup", {"username": "lisa", "email": ""}).status_code == 409
    assert not User.objects.filter(username="lisa").exists()
    assert who(other) == ""


def test_a_sign_up_lasts_half_an_hour(hub: GitHub, nobody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    through(nobody)
    monkeypatch.setattr("web.newcomers.LIFE", -1)
    through(nobody)
    answer = nobody.post("/www/signup", {"username": "mona", "email": ""})
    assert (answer.status_code, "Create an account" in answer.content.decode()) == (400, True), "nobody vouches any more"
    assert not User.objects.filter(username="mona").exists()


def test_what_was_sealed_under_another_password_is_begun_anew(hub: GitHub, nobody: Client, settings: Settings) -> None:
    through(nobody)
    settings.OAUTH_PASSWORD, settings.SIGNUP = "another", "invited"
    assert nobody.get("/www/signup")["Location"] == "/www/login"


def test_many_who_begin_are_throttled(hub: GitHub, nobody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tokens.throttle.LOGINS_PER_ADDRESS", 3)
    for _ in range(3):
        assert nobody.post(BEGIN).status_code == 302
    answer = nobody.post(BEGIN)
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)


def test_a_get_begins_nothing_and_a_post_needs_its_csrf_token(hub: GitHub, world: World) -> None:
    client = Client(enforce_csrf_checks=True, headers={"accept": HTML})
    assert client.get(BEGIN).status_code == 405
    assert client.post(BEGIN).status_code == 403
    assert client.post(BACK).status_code in {403, 405}


def test_a_link_that_fails_tells_of_the_account(hub: GitHub, alice: Client) -> None:
    hub.denies = True
    page = through(alice).content.decode()
    assert "To your account" in page
    assert not Identity.objects.exists()


def test_unlinking_what_is_not_linked(hub: GitHub, alice: Client) -> None:
    answer = alice.post("/account/github/unlink/", {"confirm": "yes"})
    assert (answer.status_code, "not linked" in answer.content.decode()) == (404, True)
    assert identities.TITLES["github"] in answer.content.decode()
