"""The cast of REST, a receiver on loopback, and a queue whose work is done when a test says so."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from tests.api.cast import Cast, assemble
from tests.parts.receiver import Receiver
from upstreams.clients.guard import parse_network
from webhooks.models import Delivery, Webhook
from webhooks.services import sending
from webhooks.services.hooks import create_webhook
from webhooks.services.outbox import gather


@pytest.fixture
def cast(db: None, settings: Any) -> Cast:
    settings.ALLOWED_PRIVATE_NETWORKS = (parse_network("127.0.0.0/8"),)
    cache.clear()
    made = assemble()
    Webhook.objects.all().delete()
    return made


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as one:
        yield one


@pytest.fixture
def hook(cast: Cast, receiver: Receiver) -> Callable[..., tuple[Webhook, str]]:
    """Make one of acme's, told of everything unless a test says of what."""

    def make(*events: str, who: str = "alice", **more: Any) -> tuple[Webhook, str]:
        workspace = cast.acme if who == "alice" else cast.globex
        wanted = list(events) or ["publish", "pull", "delete", "flag", "alert", "job"]
        return create_webhook(actor=cast.actor(who), workspace=workspace, url=receiver.url, events=wanted, **more)

    return make


def work(later: timedelta = timedelta(0)) -> None:
    """What the worker does every few seconds; `later`: as if so much time had gone by."""
    now: datetime = timezone.now()
    if later:
        for delivery in Delivery.objects.exclude(next_at=None):
            Delivery.objects.filter(pk=delivery.pk).update(next_at=(delivery.next_at or now) - later)
        Webhook.objects.exclude(paused_until=None).update(paused_until=now - timedelta(seconds=1))
    gather(now)
    for webhook_id in sending.due(timezone.now()):
        sending.send(webhook_id)
