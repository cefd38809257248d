"""Guessing names, passwords and tokens (threats.md A12, A13): what a guesser learns, what it costs, where it ends."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.api.cast import Cast, assemble, census
from tokens import throttle
from tokens.models import Token
from tokens.services.authenticate import REMEMBERED
from workspaces.models import User

NPM, PAGE = "/acme/r/main", "text/html"
PASSWORD = "correct horse"


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    cache.clear()
    REMEMBERED._until.clear()
    yield assemble()
    cache.clear()
    REMEMBERED._until.clear()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every password that was hashed."""
    seen: list[str] = []
    real = MD5PasswordHasher.encode

    def noting(self: MD5PasswordHasher, password: str, salt: str) -> str:
        seen.append(password)
        return str(real(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", noting)
    return seen


def by_npm(username: str, password: str, **environ: Any) -> Any:
    body = json.dumps({"name": username, "password": password}).encode()
    return Client(**environ).put(f"{NPM}/-/user/org.couchdb.user:{username}", body, content_type="application/json")


def by_basic(path: str) -> Callable[..., Any]:
    def ask(username: str, password: str, **environ: Any) -> Any:
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        return Client(headers={"Authorization": f"Basic {encoded}"}, **environ).get(path)

    return ask


def by_form(username: str, password: str, **environ: Any) -> Any:
    return Client(headers={"Accept": PAGE}, **environ).post("/login", {"username": username, "password": password})


DOORS: dict[str, Callable[..., Any]] = {
    "npm login": by_npm,
    "npm Basic": by_basic(f"{NPM}/-/whoami"),
    "REST Basic": by_basic("/api/v1/whoami/"),
    "sign-in form": by_form,
}


@pytest.mark.parametrize("door", DOORS)
def test_who_exists_costs_and_tells_the_same(cast: Cast, hashed: list[str], door: str) -> None:
    """One hash, the same statements, the same bytes: for nobody, a wrong password, and a disabled person."""
    User.objects.filter(username="carol").update(is_active=False)
    told, cost = {}, {}
    for username, password in (("bob", "wrong"), ("ghost", "wrong"), ("carol", "wrong"), ("carol", PASSWORD)):
        hashed.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = DOORS[door](username, password)
        told[username, password] = (answer.status_code, masked(answer.content), sorted(answer.headers))
        cost[username, password] = (len(hashed), len([query for query in queries if "workspaces_user" in query["sql"]]))
    assert {status for status, _, _ in told.values()} == {401}
    assert len({content for _, content, _ in told.values()}) == 1
    assert len({tuple(headers) for _, _, headers in told.values()}) == 1
    assert set(cost.values()) == {(1, 1)}, "an unknown name must cost the hash that a known one costs"


def masked(content: bytes) -> bytes:
    """A page without what differs on every request, and without the name that was typed."""
    lines = [line for line in content.splitlines() if b"csrfmiddlewaretoken" not in line and b'name="username"' not in line]
    return b"\n".join(lines)


def test_a_token_is_looked_up_by_its_hash_and_every_bad_one_sounds_the_same(cast: Cast) -> None:
    person = cast.people["carol"]
    secrets = {"unknown": "gth_" + "0" * 46, "garbage": "x", "empty": "gth_"}
    secrets |= {"revoked": cast.tokens["bob"].secret, "expired": cast.tokens["rita"].secret, "disabled": cast.tokens["carol"].secret}
    Token.objects.filter(pk=cast.tokens["bob"].token.pk).delete()
    Token.objects.filter(pk=cast.tokens["rita"].token.pk).update(expires_at=timezone.now())
    User.objects.filter(pk=person.pk).update(is_active=False)
    before = census()
    for path in (f"{NPM}/-/whoami", f"{NPM}/@acme%2ffoo", "/api/v1/whoami/"):
        told, work = set(), set()
        for secret in secrets.values():
            with CaptureQueriesContext(connection) as queries:
                answer = Client(headers={"Authorization": f"Bearer {secret}"}).get(path)
            assert answer.status_code == 401
            told.add(answer.content)
            work.add(tuple(query["sql"].partition("WHERE")[0] for query in queries if "tokens_token" in query["sql"]))
        assert len(told) == 1, path
        assert len(work) == 1, "one statement, whatever is wrong with the token"
    assert census() == before


@pytest.mark.parametrize("door", DOORS)
def test_ten_failures_close_every_door_to_that_name_from_there(cast: Cast, hashed: list[str], door: str) -> None:
    before = census()
    for number in range(throttle.PER_NAME_AND_ADDRESS):
        assert DOORS[door]("bob", f"wrong {number}").status_code == 401
    hashed.clear()
    for one, ask in DOORS.items():
        answer = ask("bob", PASSWORD)
        assert (one, answer.status_code) == (one, 429)
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        forged = ask("bob", PASSWORD, HTTP_X_FORWARDED_FOR="192.0.2.77", HTTP_X_REAL_IP="192.0.2.77", HTTP_FORWARDED="for=192.0.2.77")
        assert forged.status_code == 429, "no header moves a caller to another address"
    assert hashed == [], "who is throttled costs no hash"
    assert census() == before
    assert DOORS[door]("rita", PASSWORD).status_code < 400, "another name goes on"
    assert DOORS[door]("bob", PASSWORD, REMOTE_ADDR="192.0.2.1").status_code < 400, "the owner elsewhere goes on"


def test_many_names_from_one_address(cast: Cast, hashed: list[str]) -> None:
    for number in range(throttle.PER_ADDRESS):
        assert by_form(f"user{number}", "spring2026").status_code == 401
    hashed.clear()
    assert by_form("alice", PASSWORD).status_code == 429
    assert hashed == []


def test_an_address_of_ipv6_is_its_network(cast: Cast) -> None:
    for number in range(throttle.PER_NAME_AND_ADDRESS):
        assert by_npm("bob", "wrong", REMOTE_ADDR=f"2001:db8:1:2::{number:x}").status_code == 401
    assert by_npm("bob", PASSWORD, REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 429
    assert by_npm("bob", PASSWORD, REMOTE_ADDR="2001:db8:1:3::1").status_code == 201
    assert throttle.network("::ffff:192.0.2.1") == throttle.network("192.0.2.1") == "192.0.2.1"


def test_the_minute_ends_when_it_was_said_to(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file cache lets a counter that is raised live for five minutes; what was promised is one."""
    monkeypatch.setattr(throttle, "WINDOW", 2)
    for _ in range(throttle.PER_NAME_AND_ADDRESS):
        by_npm("bob", "wrong")
    answer = by_npm("bob", PASSWORD)
    assert answer.status_code == 429
    clock = timedelta(seconds=2.1)
    import time

    real = time.time
    monkeypatch.setattr("django.core.cache.backends.filebased.time.time", lambda: real() + clock.total_seconds())
    assert by_npm("bob", PASSWORD).status_code == 201


def test_a_spray_of_tokens(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "BAD_TOKENS_PER_ADDRESS", 5)
    good, before = cast.tokens["bob"].secret, census()

    def ask(secret: str, path: str = "/-/whoami", **environ: Any) -> Any:
        return Client(headers={"Authorization": f"Bearer {secret}"}, **environ).get(NPM + path)

    for number in range(5):
        assert ask(f"gth_{number}").status_code == 401
        assert ask(good).status_code == 200, "valid ones are not counted"
    answer = ask("gth_x")
    assert (answer.status_code, answer.json()["code"], 0 < int(answer.headers["Retry-After"]) <= 60) == (429, "login_throttled", True)
    assert ask("gth_x", "/@acme%2ffoo").status_code == 429
    assert Client(headers={"Authorization": "Bearer gth_x"}).get("/api/v1/whoami/").status_code == 429
    assert ask(good).status_code == 200, "nor refused"
    assert ask("gth_x", REMOTE_ADDR="192.0.2.1").status_code == 401
    assert census() == before


@pytest.mark.parametrize("size", [1025, 5 * 1024 * 1024])
def test_a_giant_password_is_never_hashed(cast: Cast, hashed: list[str], size: int) -> None:
    before, giant = census(), "x" * size
    for username in ("bob", "ghost"):
        for door, ask in DOORS.items():
            answer = ask(username, giant)
            assert answer.status_code in ({401} if size < 2**20 or "Basic" in door else {400, 413}), (door, answer.status_code)
    body = json.dumps({"password": giant}).encode()
    headers = {"Authorization": f"Bearer {cast.tokens['bob'].secret}"}
    for path in ("/-/npm/v1/tokens", "/-/npm/v1/user"):
        assert Client(headers=headers).post(NPM + path, body, content_type="application/json").status_code in {400, 401, 413}
    assert hashed == []
    assert census() == before
