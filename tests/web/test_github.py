"""Signing in with GitHub, against a GitHub of the test's own on loopback: in, up, linked, unlinked."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.conf import settings as given
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from tests.parts.github import AUTHORIZE, CLIENT, EMAILS, GitHub, Person
from tests.web.conftest import HTML, PASSWORD
from tests.web.github import BACK, BEGIN, linked, through, to_github, who
from tokens.models import Identity
from tokens.services.identities import PURPOSE
from workspaces.models import Event, User
from workspaces.seal import unseal

UNLINK = "/account/github/unlink/"
SECRET_PAGE = "/account/password/"


def test_the_button_leads_to_github_with_all_it_needs(hub: GitHub, nobody: Client) -> None:
    page = nobody.get("/login?next=/acme/")
    assert f'action="{BEGIN}"' in page.content.decode()
    assert f"form-action 'self' {hub.url}" in page["Content-Security-Policy"]
    asked = urlsplit(nobody.post(BEGIN, {"next": "/acme/"})["Location"])
    assert f"{asked.scheme}://{asked.netloc}{asked.path}" == hub.url + AUTHORIZE
    query = {key: values[0] for key, values in parse_qs(asked.query).items()}
    assert len(query.pop("state")) >= 32
    expected = {"client_id": CLIENT, "redirect_uri": f"http://testserver{BACK}", "scope": "user:email", "response_type": "code"}
    assert query == expected


def test_the_first_time_ends_in_a_form_and_an_account(hub: GitHub, nobody: Client) -> None:
    answer = through(nobody, "/acme/")
    assert (answer.status_code, answer["Location"]) == (302, "/www/signup")
    page = nobody.get("/www/signup").content.decode()
    assert 'value="octocat"' in page
    assert 'value="mona@example.org"' in page
    assert not User.objects.filter(username="octocat").exists()
    answer = nobody.post("/www/signup", {"username": "mona", "email": "mona@example.net"})
    assert (answer.status_code, answer["Location"]) == (302, "/acme/")
    assert who(nobody) == "mona"
    person = User.objects.get(username="mona")
    assert (person.email, person.first_name, person.has_usable_password(), person.is_superuser) == (
        "mona@example.net", "Mona Lisa", False, False,
    )  # fmt: skip
    assert not person.memberships.exists()
    told = [(event.action, event.actor, event.object) for event in Event.objects.filter(actor="mona").order_by("id")]
    assert told == [("user.created", "mona", "mona"), ("github.linked", "mona", "mona"), ("session.opened", "mona", "mona")]
    assert Event.objects.get(action="session.opened").new == {"by": "github"}


def test_later_times_go_straight_in_whatever_the_name_there_is_by_then(hub: GitHub, nobody: Client) -> None:
    linked("alice", hub.person)
    hub.person.login, hub.person.emails = "mona-renamed", []
    answer = through(nobody, "/acme/tokens/?x=1")
    assert (answer.status_code, answer["Location"]) == (302, "/acme/tokens/?x=1")
    assert who(nobody) == "alice"
    assert Identity.objects.get().login == "mona-renamed"
    assert User.objects.get(username="alice").email == ""
    assert f"GET {EMAILS}" not in hub.asked


def test_the_session_key_changes_on_the_way(hub: GitHub, nobody: Client) -> None:
    linked("alice", hub.person)
    back = to_github(nobody)
    before = nobody.cookies["sessionid"].value
    nobody.get(back)
    assert nobody.cookies["sessionid"].value != before


def test_nothing_secret_lies_open_in_the_database(hub: GitHub, nobody: Client) -> None:
    through(nobody)
    token = next(iter(hub.tokens))
    kept = " ".join(str(one.get_decoded()) for one in Session.objects.all())
    assert token not in kept
    assert "mona@example.org" not in kept
    nobody.post("/www/signup", {"username": "mona", "email": ""})
    sealed = bytes(Identity.objects.get().token_sealed)
    assert token.encode() not in sealed
    assert unseal(sealed, PURPOSE) == token
    assert token not in str(list(Event.objects.values()))
    through(nobody_else := Client(headers={"accept": HTML}))
    assert who(nobody_else) == "mona"
    newest = list(hub.tokens)[-1]
    assert unseal(bytes(Identity.objects.get().token_sealed), PURPOSE) == newest != token


@pytest.mark.parametrize("verified", [True, False])
def test_an_account_is_never_taken_over_by_its_name_or_address(verified: bool, hub: GitHub, nobody: Client) -> None:  # noqa: FBT001
    User.objects.filter(username="alice").update(email="alice@example.org")
    hub.person = Person(login="alice", emails=[{"email": "alice@example.org", "primary": True, "verified": verified}])
    assert through(nobody)["Location"] == "/www/signup"
    page = nobody.get("/www/signup").content.decode()
    assert 'value="alice-2"' in page
    assert ('value="alice@example.org"' in page) is verified
    answer = nobody.post("/www/signup", {"username": "alice", "email": "alice@example.org"})
    assert answer.status_code == 409
    assert "exists already" in answer.content.decode()
    nobody.post("/www/signup", {"username": "alice-2", "email": "alice@example.org"})
    assert who(nobody) == "alice-2"
    assert list(Identity.objects.values_list("user__username", flat=True)) == ["alice-2"]


def test_somebody_signed_in_links_and_unlinks(hub: GitHub, alice: Client) -> None:
    page = alice.get("/account/")
    assert "Link GitHub" in page.content.decode()
    assert hub.url in page["Content-Security-Policy"]
    answer = through(alice)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    assert "octocat" in alice.get("/account/").content.decode()
    event = Event.objects.get(action="github.linked")
    assert (event.actor, event.object, event.new) == ("alice", "alice", {"login": "octocat", "id": str(hub.person.id)})
    assert "Unlink GitHub?" in alice.post(UNLINK).content.decode()
    assert Identity.objects.exists()
    assert alice.post(UNLINK, {"confirm": "yes"})["Location"] == "/account/"
    assert not Identity.objects.exists()
    assert Event.objects.get(action="github.unlinked").old == {"login": "octocat", "id": str(hub.person.id)}
    assert through(Client(headers={"accept": HTML}))["Location"] == "/www/signup"


def test_linking_the_same_again_is_no_error_and_no_event(hub: GitHub, alice: Client) -> None:
    linked("alice", hub.person)
    assert through(alice, "/account/")["Location"] == "/account/"
    assert Event.objects.filter(action="github.linked").count() == 1


def test_one_account_there_opens_one_account_here(hub: GitHub, alice: Client, sign_in: Callable[[str], Client]) -> None:
    linked("bob", hub.person)
    answer = through(alice)
    assert (answer.status_code, "linked to another account here" in answer.content.decode()) == (409, True)
    hub.person = Person(login="second")
    answer = through(sign_in("bob"))
    assert (answer.status_code, "unlink that one first" in answer.content.decode()) == (409, True)
    assert list(Identity.objects.values_list("user__username", "login")) == [("bob", "octocat")]


def test_the_last_way_in_stays(hub: GitHub, nobody: Client) -> None:
    through(nobody)
    nobody.post("/www/signup", {"username": "mona", "email": ""})
    assert "only way in" in nobody.get("/account/").content.decode()
    answer = nobody.post(UNLINK, {"confirm": "yes"})
    assert (answer.status_code, "only way in" in answer.content.decode()) == (409, True)
    assert Identity.objects.exists()


def test_who_came_by_github_sets_a_password_and_then_unlinks(hub: GitHub, nobody: Client) -> None:
    through(nobody)
    nobody.post("/www/signup", {"username": "mona", "email": ""})
    other = Client(headers={"accept": HTML})
    through(other)
    assert "Set a password" in nobody.get("/account/").content.decode()
    assert "Current password" not in nobody.get(SECRET_PAGE).content.decode()
    assert nobody.post(SECRET_PAGE, {"new": "short", "repeat": "short"}).status_code == 400
    assert nobody.post(SECRET_PAGE, {"new": PASSWORD, "repeat": "another one"}).status_code == 400
    assert not User.objects.get(username="mona").has_usable_password()
    assert nobody.post(SECRET_PAGE, {"new": PASSWORD, "repeat": PASSWORD})["Location"] == "/account/"
    assert User.objects.get(username="mona").check_password(PASSWORD)
    assert (who(nobody), who(other)) == ("mona", "")
    assert Event.objects.get(action="password.set").actor == "mona"
    assert "Current password" in nobody.get(SECRET_PAGE).content.decode()
    assert nobody.post(UNLINK, {"confirm": "yes"})["Location"] == "/account/"
    assert Client().post("/login", {"username": "mona", "password": PASSWORD}).status_code == 302


def test_a_first_password_asks_github_again_after_ten_minutes(hub: GitHub, nobody: Client) -> None:
    through(nobody)
    nobody.post("/www/signup", {"username": "mona", "email": ""})
    session = nobody.session
    session["proved_at"] -= 601
    session.save()
    proof = f"/account/proof/?next={SECRET_PAGE}"
    assert nobody.get(SECRET_PAGE)["Location"] == proof
    assert "Ask GitHub" in nobody.get(proof).content.decode()
    assert "Password" not in nobody.get(proof).content.decode()
    assert nobody.post(proof, {"password": PASSWORD}).status_code == 403
    assert nobody.post(SECRET_PAGE, {"new": PASSWORD, "repeat": PASSWORD})["Location"] == proof
    assert not User.objects.get(username="mona").has_usable_password()
    mona, hub.person = hub.person, Person(login="somebody-else")
    assert through(nobody, SECRET_PAGE).status_code == 409
    assert nobody.post(SECRET_PAGE, {"new": PASSWORD, "repeat": PASSWORD})["Location"] == proof
    hub.person = mona
    assert through(nobody, SECRET_PAGE)["Location"] == SECRET_PAGE
    assert nobody.post(SECRET_PAGE, {"new": PASSWORD, "repeat": PASSWORD})["Location"] == "/account/"


def test_who_links_is_who_began(hub: GitHub, alice: Client, sign_in: Callable[[str], Client]) -> None:
    """A browser in which somebody else signed in meanwhile links nothing, to neither."""
    back = to_github(alice)
    alice.post("/logout")
    alice.post("/login", {"username": "bob", "password": PASSWORD})
    answer = alice.get(back)
    assert answer.status_code == 400
    assert not Identity.objects.exists()


def test_a_sign_in_begun_by_nobody_links_nothing_to_somebody(hub: GitHub, nobody: Client) -> None:
    back = to_github(nobody)
    nobody.post("/login", {"username": "alice", "password": PASSWORD})
    answer = nobody.get(back)
    assert answer.status_code == 409
    assert "Link it on the account page" in answer.content.decode()
    assert (Identity.objects.count(), who(nobody)) == (0, "alice")


def test_a_deactivated_person_stays_out(hub: GitHub, nobody: Client) -> None:
    linked("alice", hub.person)
    User.objects.filter(username="alice").update(is_active=False)
    answer = through(nobody)
    assert (answer.status_code, "deactivated" in answer.content.decode()) == (403, True)
    assert who(nobody) == ""


def test_a_browser_found_open_links_nothing_without_the_password(hub: GitHub, alice: Client) -> None:
    session = alice.session
    session["proved_at"] -= 601
    session.save()
    asked = alice.post(BEGIN)["Location"]
    assert asked == "/account/proof/?next=/account/"
    assert "Ask GitHub" not in alice.get(asked).content.decode(), "it is not linked, so it proves nothing"
    assert alice.post(asked, {"password": "wrong wrong", "next": "/account/"}).status_code == 403
    assert alice.post(BEGIN)["Location"] == asked
    assert alice.post(asked, {"password": PASSWORD, "next": "//evil.example"})["Location"] == "/"
    assert through(alice)["Location"] == "/account/"
    assert Identity.objects.get().user.username == "alice"


def test_guessing_at_the_proof_is_throttled(alice: Client) -> None:
    cache.clear()
    for number in range(10):
        assert alice.post("/account/proof/", {"password": f"wrong {number}"}).status_code == 403
    answer = alice.post("/account/proof/", {"password": PASSWORD})
    assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
    cache.clear()


@pytest.mark.parametrize(("mode", "said"), [("closed", "takes no new accounts"), ("invited", "by invitation")])
def test_signup_says_who_may(mode: str, said: str, hub: GitHub, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = mode
    answer = through(nobody)
    assert (answer.status_code, said in answer.content.decode()) == (403, True)
    assert nobody.get("/www/signup")["Location"] == "/www/login"
    linked("alice", hub.person)
    assert through(nobody)["Location"] == "/"  # who has an account comes in


def test_a_sign_up_that_was_closed_meanwhile_makes_nobody(hub: GitHub, nobody: Client, settings: Settings) -> None:
    through(nobody)
    settings.SIGNUP = "closed"
    assert nobody.post("/www/signup", {"username": "mona", "email": ""}).status_code == 403
    assert not User.objects.filter(username="mona").exists()


def test_without_a_client_there_is_no_github(nobody: Client, alice: Client) -> None:
    assert not given.SOCIAL_AUTH_GITHUB_KEY
    page = nobody.get("/login")
    assert "GitHub" not in page.content.decode()
    assert "form-action 'self';" in page["Content-Security-Policy"] + ";"
    assert "GitHub" not in alice.get("/account/").content.decode()
    assert nobody.post(BEGIN).status_code == 404
    assert nobody.get(BACK).status_code == 404


def test_entropics_addresses(hub: GitHub, nobody: Client, settings: Settings) -> None:
    settings.SIGNUP = "invited"
    assert nobody.get("/www/signup")["Location"] == "/www/login"
    page = nobody.get("/www/login").content.decode()
    assert 'name="next" value="/www/tokens"' in page
    assert nobody.get("/www/tokens")["Location"] == "/login?next=/www/tokens"
    assert nobody.post("/www/login", {"username": "alice", "password": PASSWORD})["Location"] == "/www/tokens"
    assert nobody.get("/www/tokens")["Location"] == "/acme/tokens/"
    assert nobody.get("/www/login")["Location"] == "/www/tokens"
    assert nobody.get("/www/signup")["Location"] == "/"


def test_at_another_host_people_are_sent_to_the_one_github_leads_back_to(hub: GitHub, nobody: Client, settings: Settings) -> None:
    settings.EXTERNAL_HOST = "https://packages.example.org"
    assert 'href="https://packages.example.org/login?next=/acme/"' in nobody.get("/login?next=/acme/").content.decode()
    assert nobody.post(BEGIN, {"next": "/acme/"})["Location"] == "https://packages.example.org/login?next=/acme/"


@pytest.mark.parametrize("address", ["http://testserver:80", "http://TestServer"])
def test_one_host_has_several_spellings(address: str, hub: GitHub, nobody: Client, settings: Settings) -> None:
    settings.EXTERNAL_HOST = address
    assert f'action="{BEGIN}"' in nobody.get("/login").content.decode()
    assert nobody.post(BEGIN)["Location"].startswith(hub.url)
