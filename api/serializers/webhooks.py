"""Webhooks and their deliveries."""

from typing import Any

from rest_framework import serializers

from api.fields import Flag, Text
from api.serializers.common import Body, Query
from webhooks.kinds import KINDS, TEST
from webhooks.models import Delivery, Webhook


class WebhookShown(serializers.ModelSerializer[Webhook]):
    """A webhook; never its secret. `reason`: why nothing is sent (`switched_off`, `failures`, `gone`), or ''."""

    events = serializers.ListField(child=serializers.ChoiceField(choices=list(KINDS)))
    active = serializers.BooleanField(source="is_active")
    reason = serializers.CharField(read_only=True)

    class Meta:
        model = Webhook
        fields = ("id", "url", "events", "active", "reason", "failures", "failing_since", "created_at", "updated_at")


class WebhookMade(WebhookShown):
    """The same with its secret, this once."""

    secret = serializers.SerializerMethodField()

    class Meta(WebhookShown.Meta):
        fields = (*WebhookShown.Meta.fields, "secret")  # type: ignore[assignment]

    def get_secret(self, webhook: Webhook) -> str:  # noqa: ARG002 - the framework's signature
        """`whsec_…`."""
        return str(self.context["secret"])


class WebhookNew(Body):
    """A webhook to make; without `secret` one is made."""

    url = Text(max_length=500)
    events = serializers.ListField(child=Text(max_length=20), max_length=20)
    active = Flag(default=True)
    secret = Text(max_length=200, required=False, write_only=True)


class WebhookChange(Body):
    """What may change of a webhook. Another secret: the one before signs beside it for a day."""

    url = Text(max_length=500)
    events = serializers.ListField(child=Text(max_length=20), max_length=20)
    active = Flag()
    secret = Text(max_length=200, write_only=True)


class DeliveryFilter(Query):
    """Which deliveries: in one state, of one type."""

    state = serializers.ChoiceField(choices=Delivery.State.choices, required=False)
    type = serializers.ChoiceField(choices=(*KINDS, TEST), required=False)


class DeliveryListed(serializers.Serializer[Delivery]):
    """What was sent, or waits; `status`, `millis`, `trouble` and `excerpt` are of the last attempt."""

    id = serializers.IntegerField()
    message_id = serializers.CharField(source="uid")
    type = serializers.ChoiceField(choices=(*KINDS, TEST))
    state = serializers.ChoiceField(choices=Delivery.State.choices)
    attempts = serializers.IntegerField()
    next_at = serializers.DateTimeField(allow_null=True)
    last_at = serializers.DateTimeField(allow_null=True)
    status = serializers.IntegerField(allow_null=True)
    millis = serializers.IntegerField(allow_null=True)
    trouble = serializers.CharField()
    excerpt = serializers.CharField()
    created_at = serializers.DateTimeField()


class DeliveryShown(DeliveryListed):
    """The same with the body that was sent, byte for byte."""

    body: Any = serializers.CharField()
