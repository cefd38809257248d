"""Alerts, and what is said of having seen them."""

from typing import Any

from rest_framework import serializers

from api.fields import Text
from api.serializers.common import Body, Query
from workspaces.models import Acknowledgement


class AlertFilter(Query):
    """Which alerts: `open` (without it), or those `acknowledged`."""

    state = serializers.ChoiceField(choices=("open", "acknowledged"), default="open")


class AcknowledgementShown(serializers.ModelSerializer[Acknowledgement]):
    """Who looked, when, and what they noted."""

    class Meta:
        model = Acknowledgement
        fields = ("by", "at", "note")


class AlertShown(serializers.Serializer[Any]):
    """All alerts of one kind about one thing. `id` is that of the newest event; a package or an upstream, '' where it is none."""

    id = serializers.IntegerField()
    action = serializers.CharField()
    object = serializers.CharField()
    sentence = serializers.CharField()
    registry = serializers.CharField(source="subject.registry")
    format = serializers.CharField(source="subject.format")
    name = serializers.CharField(source="subject.name")
    version = serializers.CharField(source="subject.version")
    upstream = serializers.CharField()
    number = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    acknowledged = AcknowledgementShown(allow_null=True)


class Acknowledging(Body):
    """What somebody notes who looked."""

    note = Text(max_length=500, allow_blank=True, default="")
