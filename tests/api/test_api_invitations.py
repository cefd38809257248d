"""Invitations over REST: the link once, the list without it, its use, its end."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.api.cast import ACME, V1, Cast, census
from workspaces.models import Invitation

LIST, ACCEPT = ACME + "invitations/", V1 + "invitations/accept/"


def made(cast: Cast, **fields: str) -> dict[str, Any]:
    answer = cast.call("adam", "POST", LIST, {"role": "publisher", **fields})
    assert answer.status_code == 201, answer.content
    found: dict[str, Any] = answer.json()
    return found


def test_the_link_is_answered_once_and_used_once(cast: Cast) -> None:
    one = made(cast, email="carol@example.org")
    assert set(one) == {"id", "email", "role", "invited_by", "created_at", "expires_at", "url"}
    assert (one["email"], one["role"], one["invited_by"]) == ("carol@example.org", "publisher", "adam")
    listed = cast.get(LIST)["results"][0]
    assert listed == cast.get(f"{LIST}{one['id']}/") == {key: value for key, value in one.items() if key != "url"}
    joined = cast.call("carol", "POST", ACCEPT, {"url": one["url"]})
    assert (joined.status_code, joined.json()) == (200, {"slug": "acme", "name": "Acme"})
    assert cast.get(ACME + "members/carol/")["role"] == "publisher"
    before = census()
    again = cast.call("mallory", "POST", ACCEPT, {"url": one["url"]})
    assert (again.status_code, again.json()["code"]) == (410, "invitation_over")
    assert cast.call("alice", "GET", f"{LIST}{one['id']}/").status_code == 404
    assert census() == before


def test_expired_and_withdrawn_links_are_gone(cast: Cast) -> None:
    old, withdrawn = made(cast), made(cast)
    Invitation.objects.filter(pk=old["id"]).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert cast.call("alice", "DELETE", f"{LIST}{withdrawn['id']}/").status_code == 204
    before = census()
    for one in (old, withdrawn):
        assert cast.call("mallory", "POST", ACCEPT, {"url": one["url"]}).status_code == 410
        assert cast.call("alice", "DELETE", f"{LIST}{one['id']}/").status_code == 404
    assert census() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"url": 7}, 400),
        ({"url": "x" * 1001}, 400),
        ({"url": "a\x00b"}, 400),
        ({"url": "http://localhost/account/invitations/unknown/"}, 404),
        ({"url": "/"}, 404),
        ({"url": "x", "role": "owner"}, 400),
    ],
)
def test_links_that_are_none(cast: Cast, body: dict[str, Any], status: int) -> None:
    before = census()
    assert cast.call("mallory", "POST", ACCEPT, body).status_code == status
    assert census() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "role"),
        ({"role": "king"}, "role"),
        ({"role": ["reader"]}, "role"),
        ({"role": "reader", "email": "not an address"}, "email"),
        ({"role": "reader", "email": "x" * 1_000 + "@example.org"}, "email"),
        ({"role": "reader", "email": None}, "email"),
        ({"role": "reader", "expires_at": "2099-01-01"}, "expires_at"),
    ],
)
def test_invitations_that_cannot_be(cast: Cast, body: dict[str, Any], field: str) -> None:
    before = census()
    answer = cast.call("adam", "POST", LIST, body)
    assert answer.status_code == 400
    assert field in answer.json()["fields"]
    assert census() == before


def test_an_admin_invites_no_owner(cast: Cast) -> None:
    before = census()
    assert cast.call("adam", "POST", LIST, {"role": "owner"}).status_code == 403
    assert census() == before
    assert cast.call("alice", "POST", LIST, {"role": "owner"}).status_code == 201
