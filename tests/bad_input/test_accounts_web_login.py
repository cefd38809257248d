"""The web login of npm, pnpm and yarn under attack, and where a login leads (threats.md A8, A11)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tests.api.cast import Cast, assemble, census
from tokens import throttle
from tokens.models import LoginSession, Token
from tokens.services.web_login import start_login
from workspaces.models import User

NPM, PAGE, PASSWORD = "/acme/r/main", "text/html", "correct horse"


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    cache.clear()
    yield assemble()
    cache.clear()


def begin(**environ: Any) -> dict[str, str]:
    answer = Client(**environ).post(f"{NPM}/-/v1/login", b"{}", content_type="application/json")
    assert answer.status_code == 200
    return dict(answer.json())


def poll(started: dict[str, str]) -> Any:
    return Client().get(started["doneUrl"].partition("testserver")[2])


def test_the_two_ids_are_128_bits_apart_and_open_one_thing_each(cast: Cast) -> None:
    seen = [begin() for _ in range(20)]
    pages = [one["loginUrl"].rpartition("/")[2] for one in seen]
    polls = [one["doneUrl"].rpartition("/")[2] for one in seen]
    assert len({*pages, *polls}) == 40
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in (*pages, *polls))
    stored = LoginSession.objects.values_list("page_id", "poll_hash")
    assert not {value for row in stored for value in row} & set(polls), "a look into the table collects no login"
    alice = Client(headers={"Accept": PAGE})
    alice.force_login(cast.people["alice"])
    assert alice.get(f"/login/cli/{polls[0]}").status_code == 410
    for one in (pages[0], pages[0].upper(), "0" * 32, "x", "%00", "a" * 5000):
        assert Client().get(f"{NPM}/-/v1/login/poll/{one}").status_code == 404


def test_only_a_post_with_its_csrf_token_in_a_session_approves(cast: Cast) -> None:
    started = begin(HTTP_USER_AGENT="npm/11.19.1 <b>", REMOTE_ADDR="198.51.100.4")
    page = started["loginUrl"].removeprefix(settings.EXTERNAL_HOST)
    alice = Client(enforce_csrf_checks=True, headers={"Accept": PAGE})
    alice.force_login(cast.people["alice"])
    before = census()
    shown = alice.get(page).content.decode()
    for said in ("npm/11.19.1 &lt;b&gt;", "198.51.100.4", "acme/main", page[-8:]):
        assert said in shown
    approve = {"answer": "approve"}
    assert alice.get(page, approve).status_code == 200
    assert alice.head(page).status_code == 200
    assert alice.post(page, approve).status_code == 403
    assert alice.get(page, headers={"X-HTTP-Method-Override": "POST"}).status_code == 200
    for method in ("put", "patch", "delete", "options"):
        assert getattr(alice, method)(page).status_code in {403, 405}
    token = Client(headers={"Authorization": f"Bearer {cast.tokens['alice'].secret}", "Accept": PAGE})
    assert token.post(page, approve).status_code == 401
    assert poll(started).status_code == 202
    assert census() == before


def test_a_poll_is_used_once_and_by_nobody_else(cast: Cast) -> None:
    mine, theirs = begin(), begin()
    page = mine["loginUrl"].removeprefix(settings.EXTERNAL_HOST)
    alice = Client(headers={"Accept": PAGE})
    alice.force_login(cast.people["alice"])
    assert alice.post(page, {"answer": "approve"}).status_code == 200
    assert poll(theirs).status_code == 202, "what was approved is one login, not the next that asks"
    collected = poll(mine)
    assert (collected.status_code, collected.json()["token"][:4]) == (200, "gth_")
    before = census()
    assert poll(mine).status_code == 404
    assert alice.post(page, {"answer": "approve"}).status_code == 410
    assert census() == before


@pytest.mark.parametrize("answer", ["", "yes", "APPROVE", "refuse"])
def test_anything_but_approve_is_a_refusal(cast: Cast, answer: str) -> None:
    started = begin()
    alice = Client(headers={"Accept": PAGE})
    alice.force_login(cast.people["alice"])
    alice.post(started["loginUrl"].removeprefix(settings.EXTERNAL_HOST), {"answer": answer})
    tokens = Token.objects.count()
    assert [poll(started).status_code for _ in range(2)] == [403, 403]
    assert Token.objects.count() == tokens


def test_ten_minutes_and_no_longer(cast: Cast) -> None:
    started = begin()
    page = started["loginUrl"].removeprefix(settings.EXTERNAL_HOST)
    life = LoginSession.objects.get().expires_at - timezone.now()
    assert timedelta(minutes=9) < life <= timedelta(minutes=10)
    alice = Client(headers={"Accept": PAGE})
    alice.force_login(cast.people["alice"])
    alice.post(page, {"answer": "approve"})
    LoginSession.objects.update(expires_at=timezone.now())
    before = census()
    assert poll(started).status_code == 404
    assert alice.get(page).status_code == 410
    assert alice.post(page, {"answer": "approve"}).status_code == 410
    assert census() == before


def test_whoever_is_disabled_after_approving_gets_nothing(cast: Cast) -> None:
    started = begin()
    bob = Client(headers={"Accept": PAGE})
    bob.force_login(cast.people["bob"])
    bob.post(started["loginUrl"].removeprefix(settings.EXTERNAL_HOST), {"answer": "approve"})
    User.objects.filter(username="bob").update(is_active=False)
    before = census()
    assert poll(started).status_code == 403
    assert census() == before


def test_begun_logins_are_counted(cast: Cast) -> None:
    for number in range(throttle.LOGINS_PER_ADDRESS):
        start_login(registry_path="a/b", client=str(number), ip="127.0.0.1")
    before = census()
    answer = Client().post(f"{NPM}/-/v1/login", b"{}", content_type="application/json")
    assert (answer.status_code, 0 < int(answer.headers["Retry-After"]) <= 60) == (429, True)
    assert census() == before


# --- where a login leads -------------------------------------------------------------------------------

ELSEWHERE = (
    *("https://evil.example", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https:/evil.example"),
    *("http:evil", "http:///evil.example", "evil", "@evil.example", "javascript:alert(1)", "data:text/html,x", "?next=//evil"),
    *("//evil.example/%2f..", "//localhost@evil.example", "/\t/evil.example", "\t//evil.example", "/x\r\nLocation: //evil"),
    *("", "\x00", "//\u3002evil.example", "/\u2028/evil.example"),
)


def test_a_sign_in_leads_nowhere_else(cast: Cast) -> None:
    for address in ELSEWHERE:
        signed = Client().post("/login", {"username": "alice", "password": PASSWORD, "next": address})
        assert (signed.status_code, signed["Location"]) == (302, "/"), repr(address)
        there = Client(headers={"Accept": PAGE})
        there.force_login(cast.people["alice"])
        assert there.get("/login", {"next": address})["Location"] == "/", repr(address)
        for other in ("return_to", "redirect", "continue", "url"):
            assert there.get("/login", {other: address})["Location"] == "/"
        assert there.post("/logout", {"next": address})["Location"] == "/login"


def test_the_addresses_of_a_web_login_are_ours_whatever_is_sent(cast: Cast) -> None:
    evil = {"hostname": "evil.example", "doneUrl": "https://evil.example", "loginUrl": "https://evil.example", "next": "//evil.example"}
    client = Client(
        headers={
            "X-Forwarded-Host": "evil.example",
            "Forwarded": "host=evil.example",
            "Referer": "https://evil.example/",
            "Origin": "https://evil.example",
        }
    )
    answer = client.post(f"{NPM}/-/v1/login?doneUrl=//evil.example", json.dumps(evil).encode(), content_type="application/json")
    assert answer.status_code == 200
    assert answer.json()["doneUrl"].startswith(f"http://testserver{NPM}/-/v1/login/poll/")
    assert answer.json()["loginUrl"].startswith(f"{settings.EXTERNAL_HOST}/login/cli/")
    assert "evil" not in answer.content.decode()
    before = census()
    assert client.post(f"{NPM}/-/v1/login", b"{}", content_type="application/json", headers={"Host": "evil.example"}).status_code == 400
    assert census() == before
