"""Where a person is signed in, and signing out elsewhere."""

from collections.abc import Callable

from django.test import Client

from tests.web.addresses import text
from tests.web.conftest import HTML, PASSWORD
from tokens.models import Visit
from workspaces.models import Event

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def browser(agent: str) -> Client:
    client = Client(headers={"accept": HTML, "user-agent": agent})
    assert client.post("/login", {"username": "alice", "password": PASSWORD}).status_code == 302
    return client


def test_one_browser_or_all_others_are_signed_out(world: object) -> None:
    first, second, third = browser(FIREFOX), browser("x<script>"), browser("curl")
    page = text(first, "/account/sessions/")
    assert "Firefox · Linux" in page
    assert "this browser" in page
    assert "<script>" not in page.partition("<main")[2]
    gone = Visit.objects.get(agent="x<script>")
    assert first.post(f"/account/sessions/{gone.pk}/end/").status_code == 302
    assert [one.get("/account/").status_code for one in (first, second, third)] == [200, 302, 200]
    assert first.post("/account/sessions/end-others/").status_code == 302
    assert [one.get("/account/").status_code for one in (first, third)] == [200, 302]
    assert second.get("/api/v1/whoami/").status_code == 401, "REST by the same session is over too"
    assert Event.objects.filter(action__in=("session.ended", "session.others_ended")).count() == 2


def test_nobody_ends_somebody_elses_session(alice: Client, sign_in: Callable[[str], Client]) -> None:
    bob = sign_in("bob")
    visit = Visit.objects.get(user__username="bob")
    assert alice.post(f"/account/sessions/{visit.pk}/end/").status_code == 404
    assert bob.get("/account/").status_code == 200


def test_signing_out_and_a_new_password_forget_browsers(world: object) -> None:
    first, second = browser(FIREFOX), browser("curl")
    assert second.post("/logout").status_code == 302
    assert Visit.objects.count() == 1
    browser("another")
    fresh = "another horse entirely"
    assert first.post("/account/password/", {"old": PASSWORD, "new": fresh, "repeat": fresh}).status_code == 302
    assert Visit.objects.count() == 1
    assert first.get("/account/").status_code == 200


def test_a_session_of_before_is_listed_from_its_next_page_on(alice: Client) -> None:
    Visit.objects.all().delete()
    session = alice.session
    del session["visit"], session["seen"]
    session.save()
    assert alice.get("/account/sessions/").status_code == 200
    assert Visit.objects.count() == 1
