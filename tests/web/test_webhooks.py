"""Webhooks in the browser."""

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.parts.receiver import Receiver
from tests.web.addresses import text
from tests.web.conftest import World
from tests.webhooks.conftest import work
from upstreams.clients.guard import parse_network
from webhooks.models import Delivery, Webhook
from webhooks.services.hooks import secrets_held
from workspaces.services.audit import SYSTEM, record

HOOKS = "/acme/webhooks/"
HTMX = {"HX-Request": "true", "HX-Target": "outcome"}


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = (parse_network("127.0.0.0/8"),)
    cache.clear()


def test_from_the_first_to_the_last(alice: Client, world: World) -> None:
    assert "No webhooks yet" in text(alice, HOOKS)
    with Receiver(answers=[(200, {}, b"<b>thanks</b>")]) as receiver:
        made = alice.post(HOOKS, {"url": receiver.url, "events": ["publish", "alert"]})
        webhook = Webhook.objects.get()
        (secret,) = secrets_held(webhook)
        assert made.status_code == 201
        assert secret in made.content.decode()
        one = f"{HOOKS}{webhook.pk}/"
        assert "Nothing was sent yet" in text(alice, one)
        assert not [page for page in (HOOKS, one, "/acme/activity/") if secret in text(alice, page)]
        sent = alice.post(one + "test/")["Location"]
        assert 'hx-trigger="every 2s"' in text(alice, sent)
        work()
        shown = text(alice, sent)
        assert "delivered" in shown
        assert "&lt;b&gt;thanks&lt;/b&gt;" in shown
        assert 'hx-trigger="every 2s"' not in shown
        assert "<html" not in alice.get(sent, headers=HTMX).content.decode()
        assert alice.post(sent + "again/").status_code == 302
        work()
        assert len(receiver.messages) == 2
        assert "Replace the secret?" in alice.post(one + "rotate/").content.decode()
        assert secrets_held(Webhook.objects.get())[0] == secret
        rotated = alice.post(one + "rotate/", {"confirm": "yes"}).content.decode()
        fresh = secrets_held(Webhook.objects.get())[0]
        assert fresh != secret
        assert fresh in rotated
        assert "Remove the webhook?" in alice.post(one + "remove/").content.decode()
        assert alice.post(one + "remove/", {"confirm": "yes"}).status_code == 302
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [{"url": "not an address"}, {"url": "https://10.0.0.1/"}, {"url": ""}, {"events": []}, {"events": ["everything"]}],
)
def test_what_is_refused_is_said(alice: Client, world: World, wrong: dict[str, Any]) -> None:
    alice.post(HOOKS, {"url": "https://hooks.example.org/", "events": ["job"]})
    for address in (HOOKS, f"{HOOKS}{Webhook.objects.get().pk}/"):
        answer = alice.post(address, {"url": "https://other.example.org/", "events": ["job"], **wrong})
        assert (answer.status_code, 'class="error"' in answer.content.decode()) == (400, True)
    assert [one.url for one in Webhook.objects.all()] == ["https://hooks.example.org/"]


def test_switched_off_it_is_offered_no_test(alice: Client, world: World) -> None:
    alice.post(HOOKS, {"url": "https://hooks.example.org/", "events": ["job"]})
    one = f"{HOOKS}{Webhook.objects.get().pk}/"
    alice.post(one + "test/")
    assert alice.post(one, {"url": "https://hooks.example.org/", "events": ["job"]}).status_code == 302
    page = text(alice, one)
    assert "switched off" in page
    assert "not sent" in page
    assert "Send a test" not in page
    assert alice.post(one + "test/").status_code == 409
    assert Delivery.objects.count() == 1


def test_the_alert_leads_to_it(alice: Client, world: World) -> None:
    alice.post(HOOKS, {"url": "https://hooks.example.org/key", "events": ["job"]})
    pk = Webhook.objects.get().pk
    new = {"host": "https://hooks.example.org", "trouble": "It answered 410.", "failures": 1, "gone": True}
    record(SYSTEM, "alert.webhook_disabled", f"webhook {pk}", workspace=world.workspace, new=new)
    page = re.sub(r"\s+", " ", text(alice, "/acme/alerts/"))
    assert "The webhook to https://hooks.example.org was switched off: it says that it is gone" in page
    assert f'href="{HOOKS}{pk}/"' in page
