"""`secrets/`, the times of an upstream, and its test, in REST's own words."""

import pytest
from django.core.cache import cache

from tests.api.cast import ACME, MAIN, Cast, census
from workspaces.models import Secret
from workspaces.services.secrets import opened

SECRETS = ACME + "secrets/"
TOKEN = SECRETS + "PARTNER_TOKEN/"
VALUE = "value-of-partner-token"
TIMES = ("negative_ttl", "connect_timeout", "read_timeout", "total_timeout")


def test_the_words_of_a_secret(cast: Cast) -> None:
    made = cast.call("adam", "POST", SECRETS, {"name": "SECOND", "value": "two words "})
    assert made.status_code == 201
    assert made.json().keys() == {"name", "created_at", "updated_at", "upstreams"}
    assert opened(Secret.objects.get(name="SECOND")) == "two words "
    listed = cast.get(SECRETS)
    assert (listed["count"], [one["name"] for one in listed["results"]]) == (2, ["PARTNER_TOKEN", "SECOND"])
    before = cast.get(TOKEN)
    assert cast.call("adam", "PATCH", TOKEN, {"value": "another"}).json()["updated_at"] > before["updated_at"]
    assert cast.call("adam", "PATCH", TOKEN, {}).status_code == 200
    assert opened(Secret.objects.get(name="PARTNER_TOKEN")) == "another"
    assert cast.call("adam", "DELETE", TOKEN).status_code == 204
    assert cast.call("adam", "GET", TOKEN).json()["code"] == "secret_not_found"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "X"}, "value"),
        ({"name": "X", "value": ""}, "value"),
        ({"name": "X", "value": 5}, "value"),
        ({"name": "X", "value": "bell\a"}, "value"),
        ({"name": "X", "value": "a\u2028b"}, "value"),
        ({"name": "X", "value": "a" * 16_385}, "value"),
        ({"name": "x", "value": "a"}, "name"),
        ({"name": "9X", "value": "a"}, "name"),
        ({"name": "X-Y", "value": "a"}, "name"),
        ({"name": "X" * 65, "value": "a"}, "name"),
        ({"name": "UPSTREAM_X", "value": "a"}, "name"),
        ({"name": "X", "value": "a", "upstreams": []}, "upstreams"),
    ],
)
def test_what_is_no_secret_is_refused_by_field(cast: Cast, body: dict[str, object], field: str) -> None:
    before = census()
    answer = cast.call("alice", "POST", SECRETS, body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert census() == before


def test_a_taken_name_and_a_used_secret_are_409(cast: Cast) -> None:
    taken = cast.call("alice", "POST", SECRETS, {"name": "PARTNER_TOKEN", "value": "x"})
    assert (taken.status_code, taken.json()["code"]) == (409, "secret_exists")
    change = {"auth_type": "bearer", "secret": "${PARTNER_TOKEN}"}
    shown = cast.call("alice", "PATCH", f"{MAIN}upstreams/{cast.upstream.pk}/", change).json()
    assert (shown["has_secret"], shown["secret_shown"]) == (True, "${PARTNER_TOKEN}")
    used = cast.call("alice", "DELETE", TOKEN)
    assert (used.status_code, used.json()["code"], used.json()["fields"]) == (409, "secret_in_use", {"name": "main npm"})
    assert cast.get(TOKEN)["upstreams"] == ["main npm"]


def test_no_value_is_told_anywhere(cast: Cast) -> None:
    told = [cast.call("alice", "GET", path).content.decode() for path in (SECRETS, TOKEN, ACME + "events/", MAIN + "upstreams/")]
    assert VALUE not in "".join(told)
    assert VALUE not in str(census())


def test_secrets_of_another_workspace_are_not_there(cast: Cast) -> None:
    below = "/api/v1/workspaces/globex/secrets/"
    assert cast.get(below, "mallory")["count"] == 0
    assert cast.call("mallory", "GET", below + "PARTNER_TOKEN/").status_code == 404
    wish = {"name": "x", "kind": "url", "url": "https://registry.example.org", "auth_type": "bearer", "secret": "${PARTNER_TOKEN}"}
    answer = cast.call("mallory", "POST", "/api/v1/workspaces/globex/registries/main/upstreams/", wish)
    assert (answer.status_code, set(answer.json()["fields"])) == (400, {"secret"})


def test_the_times_of_an_upstream(cast: Cast) -> None:
    path = f"{MAIN}upstreams/{cast.upstream.pk}/"
    assert {cast.get(path)[name] for name in TIMES} == {None}
    own = dict(zip(TIMES, (0, 3, 4, 50), strict=True))
    shown = cast.call("adam", "PATCH", path, own).json()
    assert {name: shown[name] for name in TIMES} == own
    for name in TIMES:
        for wrong in (-1, 100_000, "5", True, 1.5):
            refused = cast.call("adam", "PATCH", path, {name: wrong})
            assert (refused.status_code, set(refused.json()["fields"])) == (400, {name})
    assert {cast.call("adam", "PATCH", path, dict.fromkeys(TIMES)).json()[name] for name in TIMES} == {None}


def test_the_words_of_a_test(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{MAIN}upstreams/{cast.upstream.pk}/"
    cast.call("alice", "PATCH", path, {"enabled": False})
    before = census()
    verdict = cast.call("alice", "POST", path + "test/")
    assert verdict.status_code == 200
    assert verdict.json().keys() == {"ok", "code", "status", "sentence", "hint", "millis"}
    assert (verdict.json()["ok"], verdict.json()["code"], verdict.json()["status"]) == (False, "upstream_disabled", None)
    monkeypatch.setattr("upstreams.services.probing.PER_MINUTE", 0)
    cache.clear()
    cast.call("alice", "POST", path + "test/")
    throttled = cast.call("alice", "POST", path + "test/")
    assert (throttled.status_code, throttled.json()["code"]) == (429, "too_many_requests")
    assert 0 < int(throttled.headers["Retry-After"]) <= 60
    assert census() == before
