"""How many requests a minute, by whom, and what is said of it."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from api import throttle
from api.admit import admit
from tests.api.cast import ACME, MAIN, V1, Cast


@pytest.fixture(autouse=True)
def _few(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REST_PER_MINUTE = {"token": 3, "user": 2, "address": 1}
    monkeypatch.setattr("api.throttle.time.time", lambda: 1_000_000_015.0)


def test_what_is_left_is_said_and_then_it_is_429(cast: Cast) -> None:
    answers = [cast.call("alice", "GET", ACME) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    for answer in answers:
        assert answer.headers["RateLimit-Limit"] == "3"
        assert answer.headers["RateLimit-Policy"] == "3;w=60"
        assert answer.headers["RateLimit-Reset"] == "5"
    refused = answers[-1]
    assert (refused.json()["code"], refused.headers["Retry-After"]) == ("too_many_requests", "5")


def test_nobody_uses_up_what_another_has(cast: Cast) -> None:
    for _ in range(4):
        cast.call("alice", "GET", ACME)
    assert cast.call("bob", "GET", ACME).status_code == 200
    assert cast.call("readonly", "GET", ACME).status_code == 200, "alice's other token"


def test_a_session_counts_by_person_and_nobody_by_address(cast: Cast) -> None:
    signed_in = Client()
    signed_in.force_login(cast.people["alice"])
    assert [signed_in.get(ACME).status_code for _ in range(3)] == [200, 200, 429]
    assert [cast.call("nobody", "GET", ACME).status_code for _ in range(2)] == [401, 429]
    one, same, other = "2001:db8:0:1::1", "2001:db8:0:1:ffff::9", "2001:db8:0:2::1"
    codes = [Client(REMOTE_ADDR=ip).get(ACME).status_code for ip in (one, same, other)]
    assert codes == [401, 429, 401]


def test_the_next_minute_begins_anew(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        cast.call("alice", "GET", ACME)
    monkeypatch.setattr("api.throttle.time.time", lambda: 1_000_000_020.0)
    begun = cast.call("alice", "GET", ACME)
    assert (begun.status_code, begun.headers["RateLimit-Reset"]) == (200, "60")


def test_a_refused_write_changes_nothing_and_an_upload_is_refused_by_its_head(cast: Cast) -> None:
    for _ in range(3):
        cast.call("alice", "GET", ACME)
    headers = {"authorization": cast.secret("alice"), "content-length": "5"}
    answer: Any = admit("POST", MAIN + "packages/npm/", headers, "127.0.0.1")
    assert answer.status_code == 429
    assert cast.call("alice", "PATCH", MAIN, {"description": "x"}).status_code == 429
    assert cast.get(MAIN, "bob")["description"] == ""
    assert isinstance(admit("POST", MAIN + "packages/npm/", {**headers, "authorization": cast.secret("bob")}, "127.0.0.1"), int)


def test_without_its_cache_nobody_is_refused(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(throttle, "cache", type("Broken", (), {"add": broken, "incr": broken, "get": broken})())
    assert [cast.call("alice", "GET", ACME).status_code for _ in range(5)] == [200] * 5
    cache.clear()


def test_bad_credentials_stay_401(cast: Cast) -> None:
    assert [cast.call("bad", "GET", V1 + "whoami/").status_code for _ in range(3)] == [401] * 3
