"""Personal and service tokens."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.api.cast import ACME, V1, Cast, census
from tokens.models import Token

TOKENS = V1 + "tokens/"


def bearer(secret: str, path: str = V1 + "whoami/") -> int:
    return Client().get(path, headers={"Authorization": f"Bearer {secret}"}).status_code


def test_the_secret_is_shown_once_and_works_until_revoked(cast: Cast) -> None:
    made = cast.call("bob", "POST", TOKENS, {"name": "ci"})
    token = made.json()
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    assert token["token"].startswith("gth_")
    assert {key: token[key] for key in ("name", "expires_at", "read_only", "registries", "scopes", "cidrs")} == {
        "name": "ci", "expires_at": None, "read_only": False, "registries": None, "scopes": None, "cidrs": [],
    }  # fmt: skip
    path = f"{TOKENS}{token['id']}/"
    assert "token" not in cast.get(path, "bob")
    assert token["token"] not in cast.call("bob", "GET", TOKENS).content.decode()
    assert bearer(token["token"]) == 200
    assert cast.call("bob", "DELETE", path).status_code == 204
    assert bearer(token["token"]) == 401
    assert cast.call("bob", "GET", path).status_code == 404


def test_a_registry_may_be_named_by_a_slug_it_had(cast: Cast) -> None:
    assert cast.call("adam", "PATCH", ACME + "registries/main/", {"slug": "newer"}).status_code == 200
    made = cast.call("bob", "POST", TOKENS, {"name": "held", "registries": ["acme/main"]})
    assert (made.status_code, made.json().get("registries")) == (201, ["acme/newer"])


def test_everything_a_token_may_be_told(cast: Cast) -> None:
    wish = {
        "name": "narrow",
        "expires_at": "2099-01-01T00:00:00Z",
        "read_only": True,
        "registries": ["acme/main"],
        "scopes": ["npm:package:@acme/*:read", "oci:*:*:*"],
        "cidrs": ["127.0.0.0/8", "2001:db8::/32"],
    }
    made = cast.call("bob", "POST", TOKENS, wish)
    assert made.status_code == 201
    assert {key: made.json()[key] for key in wish} == wish
    assert cast.get(f"{TOKENS}{made.json()['id']}/", "bob")["registries"] == ["acme/main"]
    assert Token.objects.get(pk=made.json()["id"]).registries == [cast.main.pk]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": None}, "name"),
        ({"name": "x" * 129}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": 5}, "name"),
        ({"expires_at": "yesterday"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": 5}, "expires_at"),
        ({"expires_at": {}}, "expires_at"),
        ({"read_only": "true"}, "read_only"),
        ({"read_only": 1}, "read_only"),
        ({"read_only": None}, "read_only"),
        ({"registries": "acme/main"}, "registries"),
        ({"registries": [5]}, "registries.0"),
        ({"registries": ["main"]}, "registries"),
        ({"registries": ["acme/nothing"]}, "registries"),
        ({"registries": ["globex/main"]}, "registries"),
        ({"registries": ["a/b/c"]}, "registries"),
        ({"registries": ["acme/main"] * 101}, "registries"),
        ({"scopes": ["npm:package:*:fly"]}, "scopes"),
        ({"scopes": ["npm:repository:*:read"]}, "scopes"),
        ({"scopes": ["cargo:*:*:*"]}, "scopes"),
        ({"scopes": [""]}, "scopes.0"),
        ({"scopes": {}}, "scopes"),
        ({"cidrs": ["10.0.0.0/40"]}, "cidrs"),
        ({"cidrs": ["localhost"]}, "cidrs"),
        ({"cidrs": None}, "cidrs"),
        ({"role": "owner"}, "role"),
        ({"token": "gth_mine"}, "token"),
        ({"owner": 1}, "owner"),
    ],
)
def test_tokens_that_cannot_be(cast: Cast, change: dict[str, Any], field: str) -> None:
    before = census()
    answer = cast.call("bob", "POST", TOKENS, {"name": "ci", **change})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["fields"]) == [field]
    assert census() == before


def test_a_narrow_token_makes_no_wider_one(cast: Cast) -> None:
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    narrow = cast.call("bob", "POST", TOKENS, {"name": "narrow", "registries": ["acme/main"], "expires_at": soon}).json()
    before = census()
    client = Client(headers={"Authorization": f"Bearer {narrow['token']}"})
    late = client.post(TOKENS, {"name": "late", "expires_at": "2099-01-01T00:00:00Z"}, content_type="application/json")
    assert (late.status_code, late.json()["code"]) == (403, "token_too_wide")
    assert census() == before
    inherits = client.post(TOKENS, {"name": "same"}, content_type="application/json")
    assert (inherits.status_code, inherits.json()["registries"]) == (201, ["acme/main"])
    assert inherits.json()["expires_at"] == narrow["expires_at"]


def test_a_scoped_token_sees_itself_alone_and_may_end_itself(cast: Cast) -> None:
    own = cast.tokens["scoped"].token.pk
    assert [one["id"] for one in cast.get(TOKENS, "scoped")["results"]] == [own]
    assert cast.call("scoped", "DELETE", f"{TOKENS}{own}/").status_code == 204
    assert cast.call("scoped", "GET", TOKENS).status_code == 401


def test_nobody_reads_or_ends_the_tokens_of_others(cast: Cast) -> None:
    before = census()
    for who, number in (("bob", cast.tokens["alice"].token.pk), ("root", cast.tokens["alice"].token.pk), ("bob", cast.service.token.pk)):
        assert cast.call(who, "GET", f"{TOKENS}{number}/").status_code == 404
        assert cast.call(who, "DELETE", f"{TOKENS}{number}/").status_code == 404
    alices = {one["id"] for one in cast.get(TOKENS, "alice")["results"]}
    assert alices == set(Token.objects.filter(owner=cast.people["alice"]).values_list("pk", flat=True))
    assert census() == before


@pytest.mark.parametrize("number", ["0", "999999999999999999", "9" * 19, "9" * 5000, "-1", "1.0", "x", "%00"])
def test_numbers_of_no_token(cast: Cast, number: str) -> None:
    assert cast.call("bob", "GET", f"{TOKENS}{number}/").status_code == 404
    assert cast.call("adam", "DELETE", f"{ACME}tokens/{number}/").status_code == 404


def test_a_service_token_belongs_to_the_workspace(cast: Cast) -> None:
    made = cast.call("adam", "POST", ACME + "tokens/", {"name": "deploy", "role": "publisher", "registries": ["main"]})
    token = made.json()
    assert (made.status_code, token["role"], token["registries"]) == (201, "publisher", ["acme/main"])
    assert bearer(token["token"], ACME + "registries/main/") == 200
    path = f"{ACME}tokens/{token['id']}/"
    assert "token" not in cast.get(path, "adam")
    assert cast.get(path, "adam")["role"] == "publisher"
    assert token["id"] in [one["id"] for one in cast.get(ACME + "tokens/", "adam")["results"]]
    service = Client(headers={"Authorization": f"Bearer {token['token']}"})
    assert [one["id"] for one in service.get(TOKENS).json()["results"]] == [token["id"]]
    assert service.post(TOKENS, {"name": "x"}, content_type="application/json").status_code == 403
    assert cast.call("adam", "DELETE", path).status_code == 204
    assert bearer(token["token"], ACME + "registries/main/") == 401


def test_a_service_token_without_a_role_publishes(cast: Cast) -> None:
    made = cast.call("adam", "POST", ACME + "tokens/", {"name": "ci"})
    assert (made.status_code, made.json()["role"]) == (201, "publisher")
    assert cast.call("bob", "POST", ACME + "tokens/", {"name": "ci"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "role": None}, 400),
        ({"name": "x", "role": "king"}, 400),
        ({"name": "x", "role": "owner"}, 403),
        ({"name": "x", "role": "reader", "registries": ["globex/main"]}, 400),
        ({"name": "x", "role": "reader", "registries": ["nothing"]}, 400),
    ],
)
def test_service_tokens_that_cannot_be(cast: Cast, body: dict[str, Any], status: int) -> None:
    before = census()
    assert cast.call("adam", "POST", ACME + "tokens/", body).status_code == status
    assert census() == before


def test_a_service_token_is_not_reached_through_another_workspace(cast: Cast) -> None:
    cast.call("adam", "POST", V1 + "workspaces/", {"slug": "adams"})
    before = census()
    assert cast.call("adam", "DELETE", f"{V1}workspaces/adams/tokens/{cast.service.token.pk}/").status_code == 404
    assert census() == before
