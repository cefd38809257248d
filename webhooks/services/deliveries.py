"""What people do with deliveries: try a webhook, send one again. And what is forgotten of them."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from webhooks.errors import DeliveryNotFound, WebhookInactive
from webhooks.kinds import TEST
from webhooks.models import Delivery, Webhook
from webhooks.services.hooks import locked, may_change
from webhooks.services.outbox import TRIES, new_delivery
from workspaces.access import Actor
from workspaces.services.audit import record

KEPT = timedelta(days=30)
MOST = 10_000  # of one webhook


@transaction.atomic
def send_test(*, actor: Actor, webhook: Webhook) -> Delivery:
    """A delivery of type `test` that waits to be sent. Raises Denied, WebhookInactive, WebhookNotFound."""
    fresh = _active(actor, webhook)
    data: dict[str, object] = {"workspace": fresh.workspace.slug, "actor": actor.name, "sentence": "A test of this webhook."}
    made = new_delivery(fresh, TEST, timezone.now(), data)
    made.tries_left = 1
    made.save()
    return made


@transaction.atomic
def redeliver(*, actor: Actor, webhook: Webhook, delivery: Delivery) -> Delivery:
    """Send it once more, with the same id and body. Raises Denied, WebhookInactive, WebhookNotFound, DeliveryNotFound."""
    webhook = _active(actor, webhook)
    fresh = Delivery.objects.select_for_update().filter(pk=delivery.pk, webhook=webhook).first()
    if fresh is None:
        raise DeliveryNotFound("There is no such delivery of this webhook.")
    fresh.state, fresh.tries_left, fresh.next_at = Delivery.State.WAITING, TRIES, timezone.now()
    fresh.save(update_fields=["state", "tries_left", "next_at"])
    record(actor, "webhook.redelivered", f"webhook {webhook.pk}", workspace=webhook.workspace_id, new={"delivery": fresh.uid})
    return fresh


def forget_deliveries() -> int:
    """Drop what is old or too much; returns how many rows went."""
    gone = Delivery.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
    for webhook in Webhook.objects.all():
        last = Delivery.objects.filter(webhook=webhook).order_by("-id").values_list("pk", flat=True)[MOST : MOST + 1].first()
        if last is not None:
            gone += Delivery.objects.filter(webhook=webhook, pk__lte=last, next_at=None).delete()[0]
    return gone


def _active(actor: Actor, webhook: Webhook) -> Webhook:
    """The row, locked, and ready at once: whoever asks by hand does not wait for a pause to end."""
    may_change(actor, webhook.workspace)
    fresh = locked(webhook)
    if not fresh.is_active:
        raise WebhookInactive("This webhook is switched off; switch it on first.")
    Webhook.objects.filter(pk=fresh.pk).update(paused_until=None)
    return fresh
