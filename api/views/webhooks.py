"""`workspaces/{ws}/webhooks/`: who is told what happens, and what was sent. For admins."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door, ListDoor
from api.schema import described
from api.serializers.filters import WebhookFilter
from api.serializers.webhooks import (
    DeliveryFilter,
    DeliveryListed,
    DeliveryShown,
    WebhookChange,
    WebhookMade,
    WebhookNew,
    WebhookShown,
)
from webhooks.models import Webhook
from webhooks.selectors import deliveries_of, delivery_of, webhook_of, webhooks_of
from webhooks.services.deliveries import redeliver, send_test
from webhooks.services.hooks import Changes, change_webhook, create_webhook, remove_webhook, rotate_secret
from webhooks.tasks import hasten
from workspaces.access import Action
from workspaces.selectors import workspace_for


class WebhooksView(ListDoor):
    """The webhooks of a workspace."""

    @described("webhooks_list", returns=WebhookShown, many=True, order={"id": "id", "url": "url"}, filters=WebhookFilter)
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """The oldest first; never a secret."""
        return self.page(webhooks_of(workspace_for(self.actor, ws, Action.MANAGE)), WebhookShown, WebhookFilter)

    @described("webhooks_create", body=WebhookNew, returns=WebhookMade, code=201)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Make one. The answer has its secret, which is not shown again."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        made, secret = create_webhook(actor=self.actor, workspace=workspace, **self.read(WebhookNew))
        return Response(WebhookMade(made, context={"secret": secret}).data, status=201)


class OfWebhook(Door):
    """Below one webhook."""

    def webhook(self, ws: str, id: str) -> Webhook:  # noqa: A002 - the address's own word
        """It, for those who manage. Raises NotFound, Denied."""
        return webhook_of(workspace_for(self.actor, ws, Action.MANAGE), int(id))


class WebhookView(OfWebhook):
    """One webhook."""

    @described("webhooks_read", returns=WebhookShown)
    def get(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Its address, what it is told of, and how it is."""
        return Response(WebhookShown(self.webhook(ws, id)).data)

    @described("webhooks_change", body=WebhookChange, returns=WebhookShown)
    def patch(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Change it. Switched off, nothing more is sent; switched on, what happens from then on."""
        webhook = self.webhook(ws, id)
        changed = change_webhook(actor=self.actor, webhook=webhook, changes=Changes(**self.read(WebhookChange)))
        return Response(WebhookShown(changed).data)

    @described("webhooks_remove", code=204)
    def delete(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Remove it, with its deliveries."""
        remove_webhook(actor=self.actor, webhook=self.webhook(ws, id))
        return Response(status=204)


class WebhookRotateView(OfWebhook):
    """Another secret."""

    @described("webhooks_rotate", returns=WebhookMade)
    def post(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """A new secret, shown this once; the one before signs beside it for a day."""
        changed, secret = rotate_secret(actor=self.actor, webhook=self.webhook(ws, id))
        return Response(WebhookMade(changed, context={"secret": secret}).data)


class WebhookTestView(OfWebhook):
    """A test."""

    @described("webhooks_test", returns=DeliveryShown, code=202)
    def post(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Send something of type `test`; its delivery tells what came of it. 409 while the webhook is switched off."""
        return _sent(send_test(actor=self.actor, webhook=self.webhook(ws, id)))


class DeliveriesView(OfWebhook, ListDoor):
    """What was sent."""

    @described("webhook_deliveries_list", returns=DeliveryListed, many=True, filters=DeliveryFilter, order={"id": "id"})
    def get(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """The newest first; kept for 30 days."""
        rows = deliveries_of(self.webhook(ws, id), **self.query(DeliveryFilter))
        return self.page(rows, DeliveryListed, DeliveryFilter)


class DeliveryView(OfWebhook):
    """One delivery."""

    @described("webhook_deliveries_read", returns=DeliveryShown)
    def get(self, request: Request, ws: str, id: str, delivery: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """What was sent, how often, and what was answered."""
        return Response(DeliveryShown(delivery_of(self.webhook(ws, id), int(delivery))).data)


class RedeliverView(OfWebhook):
    """Once more."""

    @described("webhook_deliveries_redeliver", returns=DeliveryShown, code=202)
    def post(self, request: Request, ws: str, id: str, delivery: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """The same id and body again. 409 while the webhook is switched off."""
        webhook = self.webhook(ws, id)
        return _sent(redeliver(actor=self.actor, webhook=webhook, delivery=delivery_of(webhook, int(delivery))))


def _sent(delivery: Any) -> Response:
    hasten(delivery.webhook_id)
    return Response(DeliveryShown(delivery).data, status=202)
