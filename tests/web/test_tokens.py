"""Tokens shown once, and the login a person approves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from registries.models import Registry
from registries.services import create_registry
from tests.web.addresses import text
from tests.web.conftest import World
from tokens.models import LoginSession, Token
from tokens.services.authenticate import actor_of_token
from tokens.services.web_login import collect_login, start_login


def test_a_token_is_shown_once_and_works_until_revoked(alice: Client, world: World) -> None:
    answer = alice.post(
        "/acme/tokens/",
        {
            "name": "ci",
            "kind": "personal",
            "life": "30",
            "scopes": "npm:package:@acme/*:read",
            "cidrs": "10.0.0.0/8",
            "registries": [world.main.pk],
        },
    )
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "private, no-store"
    token = Token.objects.get()
    body = answer.content.decode()
    secret = next(word for word in body.replace("<", " ").replace(">", " ").split() if word.startswith("gth_") and len(word) > 40)
    assert f"/acme/r/main/:_authToken={secret}" in body
    assert (token.registries, token.scopes, token.cidrs) == ([world.main.pk], ["npm:package:@acme/*:read"], ["10.0.0.0/8"])
    assert actor_of_token(secret, "10.1.2.3").name == "alice"
    again = text(alice, "/acme/tokens/")
    assert secret not in again
    assert token.prefix in again
    assert alice.post(f"/acme/tokens/{token.pk}/revoke/").status_code == 200
    assert Token.objects.exists()
    alice.post(f"/acme/tokens/{token.pk}/revoke/", {"confirm": "yes"})
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "wrong", [{"scopes": "npm:everything"}, {"cidrs": "999.1.1.1/8"}, {"registries": "99999"}, {"life": "7000"}, {"name": ""}]
)
def test_a_bad_token_form_makes_none(wrong: dict[str, str], alice: Client) -> None:
    answer = alice.post("/acme/tokens/", {"name": "ci", "kind": "personal", "life": "30", **wrong})
    assert answer.status_code == 400
    assert 'class="error"' in answer.content.decode()
    assert not Token.objects.exists()


def test_another_persons_token_is_neither_seen_nor_revoked(alice: Client, sign_in: Callable[[str], Client]) -> None:
    alice.post("/acme/tokens/", {"name": "hers", "kind": "personal", "life": "30"})
    bob = sign_in("bob")
    assert "hers" not in text(bob, "/acme/tokens/")
    assert bob.post(f"/acme/tokens/{Token.objects.get().pk}/revoke/", {"confirm": "yes"}).status_code == 404
    assert Token.objects.exists()


def test_a_login_is_approved_only_by_a_post(alice: Client, nobody: Client, world: World) -> None:
    started = start_login(registry_path="acme/main", client="npm/11 <b>", ip="198.51.100.4")
    address = f"/login/cli/{started.page_id}"
    assert nobody.get(address)["Location"] == f"/login?next={address}"
    body = text(alice, address)
    assert "198.51.100.4" in body
    assert "npm/11 &lt;b&gt;" in body
    assert "acme/main" in body
    assert LoginSession.objects.get().state == "pending"
    assert collect_login(poll_id=started.poll_id) is None
    approved = alice.post(address, {"answer": "approve"})
    assert "return to the terminal" in approved.content.decode()
    assert text(alice, address, 410)
    assert alice.post(address, {"answer": "approve"}).status_code == 410
    issued = collect_login(poll_id=started.poll_id)
    assert issued is not None
    assert actor_of_token(issued.secret, "198.51.100.4").name == "alice"


def test_a_refused_login_gives_nothing(alice: Client, world: World) -> None:
    started = start_login(registry_path="acme/main", client="npm", ip="198.51.100.4")
    assert "given nothing" in alice.post(f"/login/cli/{started.page_id}", {"answer": "refuse"}).content.decode()
    assert LoginSession.objects.get().state == "denied"
    assert not Token.objects.exists()


def test_a_token_ends_on_any_day_to_come_and_begins_with_a_preset(alice: Client) -> None:
    day = timezone.now().date() + timedelta(days=3)
    assert alice.post("/acme/tokens/", {"name": "ci", "kind": "personal", "life": "30", "until": str(day)}).status_code == 201
    ends = Token.objects.get().expires_at
    assert ends is not None
    assert ends.isoformat() == f"{day}T23:59:59+00:00"
    assert ">soon</span>" in text(alice, "/acme/tokens/")
    for wrong in ("2020-01-01", "yesterday", "9999-12-31"):
        assert alice.post("/acme/tokens/", {"name": "ci", "kind": "personal", "life": "30", "until": wrong}).status_code == 400
    assert "npm:package:*:write</textarea>" in text(alice, "/acme/tokens/?preset=ci-publish")
    assert Token.objects.count() == 1


def test_of_many_registries_some_are_named(alice: Client, world: World) -> None:
    for number in range(41):
        create_registry(actor=world.actor("alice"), workspace=world.workspace, slug=f"lib-{number}")
    fields = {"name": "ci", "kind": "personal", "life": "30"}
    assert alice.post("/acme/tokens/", {**fields, "registries": "main, lib-7"}).status_code == 201
    assert Token.objects.get().registries == [Registry.objects.get(slug=slug).pk for slug in ("main", "lib-7")]
    refused = alice.post("/acme/tokens/", {**fields, "registries": "main nowhere"})
    assert (refused.status_code, "no registry “nowhere”" in refused.content.decode()) == (400, True)
