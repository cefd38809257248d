"""Reads over webhooks. Nothing here decides who may; the callers' gate has before."""

from django.db.models import QuerySet

from webhooks.errors import DeliveryNotFound, WebhookNotFound
from webhooks.models import Delivery, Webhook
from workspaces.models import Workspace


def webhooks_of(workspace: Workspace) -> QuerySet[Webhook]:
    """Those of a workspace, the oldest first."""
    return Webhook.objects.filter(workspace=workspace).select_related("workspace").order_by("id")


def webhook_of(workspace: Workspace, webhook_id: int) -> Webhook:
    """One of them. Raises WebhookNotFound."""
    found = webhooks_of(workspace).filter(pk=webhook_id).first()
    if found is None:
        raise WebhookNotFound("There is no such webhook in this workspace.")
    return found


def deliveries_of(webhook: Webhook, *, state: str = "", type: str = "") -> QuerySet[Delivery]:  # noqa: A002 - the field's own word
    """What was sent, or waits: the newest first."""
    found = Delivery.objects.filter(webhook=webhook).order_by("-id")
    found = found.filter(state=state) if state else found
    return found.filter(type=type) if type else found


def delivery_of(webhook: Webhook, delivery_id: int) -> Delivery:
    """One of them. Raises DeliveryNotFound."""
    found = Delivery.objects.filter(webhook=webhook, pk=delivery_id).first()
    if found is None:
        raise DeliveryNotFound("There is no such delivery of this webhook.")
    return found
