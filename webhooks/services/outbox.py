"""From the audit log to deliveries. The log is the outbox: its row is written in the transaction of the act (docs/adr/0015).

Transactions do not end in the order of their events' numbers, so the last quarter of an hour is looked at again each
time; what has its delivery already is known by it (`one_delivery_each`).
"""

import json
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from webhooks.kinds import actions_of, data_of, is_told, kind_of
from webhooks.models import Delivery, Webhook
from workspaces.models import Event
from workspaces.selectors import ALERT

SETTLED = timedelta(minutes=15)  # longer than any transaction
BATCH = 500  # events of one webhook at a time
BODY = 64 * 1024  # bytes; what an event was and is, is left out of a longer one
TRIES = 9


def gather(now: datetime) -> None:
    """A delivery for each event that a webhook is to be told of."""
    for webhook in Webhook.objects.filter(is_active=True):
        found = list(_untold(webhook)[:BATCH])
        settled = _settled(now) if len(found) < BATCH else webhook.seen_through
        if found or settled > webhook.seen_through:
            _write(webhook.pk, found, settled)


def new_delivery(webhook: Webhook, kind: str, at: datetime, data: dict[str, object], event: Event | None = None) -> Delivery:
    """One that waits, not saved yet. Its body is made once: every try sends the same bytes."""
    return Delivery(
        webhook=webhook,
        event=event,
        uid=f"msg_{secrets.token_hex(16)}",
        type=kind,
        body=_body(kind, at, data),
        tries_left=TRIES,
        next_at=timezone.now(),
    )


def _untold(webhook: Webhook) -> QuerySet[Event]:
    actions, alerts = actions_of(webhook.events)
    wanted = Q(action__in=actions) | Q(action__startswith=ALERT) if alerts else Q(action__in=actions)
    told = Delivery.objects.filter(webhook=webhook, event=OuterRef("pk"))
    found = Event.objects.filter(wanted, ~Exists(told), workspace_id=webhook.workspace_id, pk__gt=webhook.seen_through)
    return found.select_related("workspace").order_by("pk")


def _settled(now: datetime) -> int:
    """The newest event that no open transaction may still come before."""
    found = Event.objects.filter(at__lt=now - SETTLED).order_by("-at").values_list("pk", flat=True).first()
    return found or 0


@transaction.atomic
def _write(webhook_id: int, events: list[Event], settled: int) -> None:
    """Unless somebody switched it off, or on again, meanwhile."""
    webhook = Webhook.objects.select_for_update().filter(pk=webhook_id, is_active=True).first()
    if webhook is None:
        return
    told = [event for event in events if event.pk > webhook.seen_through and is_told(event.action, event.old, event.new)]
    Delivery.objects.bulk_create([_delivery(webhook, event) for event in told], ignore_conflicts=True)
    Webhook.objects.filter(pk=webhook_id, seen_through__lt=settled).update(seen_through=settled)


def _delivery(webhook: Webhook, event: Event) -> Delivery:
    data = data_of(event.action, event.object, event.old, event.new)
    workspace = event.workspace.slug if event.workspace else ""
    return new_delivery(
        webhook, kind_of(event.action), event.at, {"id": event.pk, "workspace": workspace, "actor": event.actor, **data}, event
    )


def _body(kind: str, at: datetime, data: dict[str, object]) -> str:
    body = {"type": kind, "timestamp": at.isoformat().replace("+00:00", "Z"), "data": data}
    text = json.dumps(body, ensure_ascii=False)
    if len(text.encode()) > BODY:
        text = json.dumps({**body, "data": {**data, "old": None, "new": None, "truncated": True}}, ensure_ascii=False)
    return text
