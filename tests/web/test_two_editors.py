"""Two people edit one thing: the later one is told what is there now, and nothing is overwritten until they say so again."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.web.conftest import World
from upstreams.models import Upstream
from webhooks.models import Webhook
from webhooks.services.hooks import create_webhook
from workspaces.models import Event

MAIN = "/acme/registries/main/"
SOURCE = {"url": "https://registry.example.org", "auth_type": "none", "enabled": "on", "name": "outside"}
# the page; what the first and the second editor save; what the second is told
THINGS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "settings": (f"{MAIN}settings/", {"visibility": "private", "description": "first"}, {"visibility": "private"}, "Description: first"),
    "workspace": ("/acme/settings/", {"name": "First"}, {"name": "Second"}, "Name: First"),
    "upstream": (f"{MAIN}upstreams/{{upstream}}/", {**SOURCE, "priority": "7"}, {**SOURCE, "priority": "8"}, "Priority: 7"),
    "webhook": (
        "/acme/webhooks/{webhook}/",
        {"url": "https://first.example.org/", "events": ["job"], "active": "on"},
        {"url": "https://second.example.org/", "events": ["job"], "active": "on"},
        "Address: https://first.example.org/",
    ),
}


@pytest.mark.parametrize("thing", THINGS)
def test_the_later_one_is_told(thing: str, alice: Client, world: World, sign_in: Callable[[str], Client]) -> None:
    create_webhook(actor=world.actor("alice"), workspace=world.workspace, url="https://hooks.example.org/", events=["job"])
    address, first, second, told = THINGS[thing]
    address = address.format(upstream=Upstream.objects.get().pk, webhook=Webhook.objects.get().pk)
    other = sign_in("alice")
    seen = seen_on(alice.get(address).content.decode())
    assert other.post(address, {**first, "seen": seen}).status_code == 302
    events = Event.objects.count()
    refused = alice.post(address, {**second, "seen": seen})
    body = refused.content.decode()
    assert (refused.status_code, told in body, Event.objects.count()) == (409, True, events)
    assert seen_on(body) != seen
    assert alice.post(address, {**second, "seen": seen_on(body)}).status_code == 302, "now they have seen it"
    assert Event.objects.count() == events + 1


def seen_on(body: str) -> str:
    found = re.search(r'name="seen" value="([0-9a-f]{32})"', body)
    assert found is not None
    return found[1]


def test_a_mistake_does_not_make_one_have_seen_it(alice: Client, world: World) -> None:
    address = f"{MAIN}settings/"
    seen = seen_on(alice.get(address).content.decode())
    assert alice.post(address, {"visibility": "private", "description": "first"}).status_code == 302, "without a digest, as scripts post"
    wrong = alice.post(address, {"visibility": "nonsense", "seen": seen})
    assert (wrong.status_code, seen_on(wrong.content.decode())) == (400, seen)
    assert alice.post(address, {"visibility": "private", "seen": seen}).status_code == 409
    world.main.refresh_from_db()
    assert world.main.description == "first"
