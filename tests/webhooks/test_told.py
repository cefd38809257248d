"""What is told, to whom, and signed how."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from packages.services.versions import deprecate, set_internal, unpublish_version
from registries.services import Changes, change_registry
from tests.api.cast import Cast
from tests.parts.pack import pack
from tests.parts.receiver import Receiver
from tests.webhooks.conftest import work
from upstreams.services.sources import change_upstream
from webhooks.models import Delivery, Webhook
from webhooks.services.hooks import rotate_secret
from webhooks.services.outbox import gather
from webhooks.signing import new_secret
from workspaces.models import Event
from workspaces.services.audit import SYSTEM, record

Make = Callable[..., tuple[Webhook, str]]


def test_a_publish_is_told_once_with_a_signature_that_verifies(cast: Cast, hook: Make, receiver: Receiver) -> None:
    _, secret = hook("publish")
    cast.publish(pack("@acme/foo", "3.0.0"))
    for _ in range(3):
        work()
    (message,) = receiver.messages
    assert message.told["type"] == "publish"
    told = message.told["data"]
    assert (told["workspace"], told["registry"], told["name"], told["version"]) == ("acme", "main", "@acme/foo", "3.0.0")
    assert (told["actor"], told["action"], told["new"]["internal"]) == ("bob", "version.published", True)
    sent = message.headers
    assert abs(int(sent["webhook-timestamp"]) - time.time()) < 60
    signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.".encode() + message.body
    wanted = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
    assert sent["webhook-signature"] == "v1," + base64.b64encode(wanted).decode()
    assert sent["content-type"] == "application/json"
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.status, delivery.uid) == ("delivered", 1, 204, sent["webhook-id"])


def test_each_kind_tells_its_acts_and_nothing_else(cast: Cast, hook: Make) -> None:
    alice = cast.actor("alice")
    where: dict[str, Any] = {"registry": cast.main, "format": "npm", "name": "@acme/foo"}
    hooks = {kind: hook(kind)[0] for kind in ("publish", "pull", "delete", "flag", "alert", "job")}
    cast.publish(pack("@acme/foo", "3.0.0"))
    set_internal(actor=alice, version="1.0.0", internal=False, **where)
    deprecate(actor=alice, messages={"1.0.0": "old"}, **where)
    change_registry(actor=alice, registry=cast.main, changes=Changes(description="no flag"))
    change_registry(actor=alice, registry=cast.main, changes=Changes(internal=False))
    change_upstream(actor=alice, upstream=cast.upstream, changes={"internal": True, "patterns": ("@acme/*",)})
    unpublish_version(actor=alice, version="2.0.0", **where)
    record(SYSTEM, "version.pulled", "acme/main npm left-pad@1.0.0", workspace=cast.acme, new={"upstream": "npm"})
    record(SYSTEM, "mirror.finished", "acme/main npm", workspace=cast.acme, new={"state": "done"})
    record(SYSTEM, "alert.upstream_trouble", "acme/main npm", workspace=cast.acme, new={"sentence": "It refused us."})
    gather(timezone.now())
    told: dict[str, list[str]] = {}
    for kind, one in hooks.items():
        rows = Delivery.objects.filter(webhook=one).order_by("event_id")
        assert {row.type for row in rows} == {kind}
        told[kind] = [json.loads(row.body)["data"]["action"] for row in rows]
    assert told["publish"] == ["version.published"]
    assert told["flag"] == ["version.internal", "version.deprecated", "registry.changed", "upstream.changed"]
    assert told["delete"] == ["version.deleted"]
    assert (told["pull"], told["job"]) == (["version.pulled"], ["mirror.finished"])
    assert "alert.upstream_trouble" in told["alert"]
    flags = Delivery.objects.filter(webhook=hooks["flag"], body__contains="upstream.changed").get()
    assert json.loads(flags.body)["data"]["new"] == {"internal": True}
    assert "registry.example.org" not in flags.body


def test_names_stay_in_their_own_workspace(cast: Cast, hook: Make, receiver: Receiver) -> None:
    hook(who="mallory")
    cast.publish(pack("@acme/foo", "3.0.0"))
    record(SYSTEM, "alert.upstream_trouble", "acme/main npm", workspace=cast.acme, new={})
    record(SYSTEM, "version.published", "nobody's", workspace=None, new={})
    work()
    assert receiver.messages == []
    assert not Delivery.objects.exists()


def test_only_what_happens_afterwards_is_told(cast: Cast, hook: Make, receiver: Receiver) -> None:
    cast.publish(pack("@acme/foo", "3.0.0"))
    hook("publish")
    work()
    assert receiver.messages == []


def test_an_act_that_is_undone_is_not_told(cast: Cast, hook: Make) -> None:
    hook("publish")
    with transaction.atomic():
        cast.publish(pack("@acme/foo", "3.0.0"))
        transaction.set_rollback(True)
    gather(timezone.now())
    assert not Delivery.objects.exists()


def test_an_event_that_is_committed_late_is_told_all_the_same(cast: Cast, hook: Make) -> None:
    """Its number is lower than one that was told already: on PostgreSQL transactions do not end in order."""
    made, _ = hook("publish")
    late = record(SYSTEM, "version.published", "acme/main npm late@1.0.0", workspace=cast.acme, new={})
    values = {field.attname: getattr(late, field.attname) for field in Event._meta.concrete_fields}
    late.delete()
    record(SYSTEM, "version.published", "acme/main npm early@1.0.0", workspace=cast.acme, new={})
    gather(timezone.now())
    Event.objects.bulk_create([Event(**values)])
    gather(timezone.now())
    names = [json.loads(row.body)["data"]["name"] for row in Delivery.objects.filter(webhook=made).order_by("id")]
    assert names == ["early", "late"]


def test_settled_events_are_not_looked_at_again(cast: Cast, hook: Make) -> None:
    made, _ = hook("publish")
    event = record(SYSTEM, "version.published", "acme/main npm old@1.0.0", workspace=cast.acme, new={})
    long_ago = timezone.now() - timedelta(hours=1)
    Event.objects.update(at=long_ago)
    gather(timezone.now())
    made.refresh_from_db()
    assert made.seen_through == event.pk
    Delivery.objects.all().delete()
    gather(timezone.now())
    assert not Delivery.objects.exists()


def test_a_long_event_goes_without_its_values(cast: Cast, hook: Make) -> None:
    hook("publish")
    record(SYSTEM, "version.published", "acme/main npm big@1.0.0", workspace=cast.acme, new={"x": "y" * 100_000})
    gather(timezone.now())
    told = json.loads(Delivery.objects.get().body)["data"]
    assert (told["truncated"], told["new"], told["name"]) == (True, None, "big")


def test_the_example_of_the_page_verifies(cast: Cast, hook: Make, receiver: Receiver) -> None:
    """docs/webhooks.md, word for word: with the secret of before and after a rotation, and not with another or other bytes."""
    made, first = hook("publish")
    _, second = rotate_secret(actor=cast.actor("alice"), webhook=made)
    cast.publish(pack("@acme/foo", "3.0.0"))
    work()
    page = Path(settings.BASE_DIR, "docs", "webhooks.md").read_text(encoding="utf-8")
    place: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], place)
    verified, (message,) = place["verified"], receiver.messages
    assert verified(first, message.headers, message.body)
    assert verified(second, message.headers, message.body)
    assert not verified(new_secret(), message.headers, message.body)
    assert not verified(second, message.headers, message.body + b" ")
    old = {**message.headers, "webhook-timestamp": str(int(time.time()) - 400)}
    assert not verified(second, old, message.body)
