"""Pushing and pulling: what is asked for, and what came of it."""

from typing import Any

from rest_framework import serializers

from api.fields import Flag, Text
from api.serializers.common import Body


class MoveOrder(Body):
    """A package and words for its versions: exact numbers, ranges, dist-tags, `*`. Without versions a push takes all, a pull `latest`.

    Of modules (format `moonbit`) exact numbers, `latest` and `*`.
    """

    format = Text(max_length=20, default="npm")
    name = Text(max_length=256)
    versions = serializers.ListField(child=Text(max_length=256), required=False, allow_empty=False, max_length=200)
    dependencies = Flag(default=False)


class PushOrder(MoveOrder):
    """Where to: `to` is a registry of the workspace, `to_upstream` an upstream of this one. `disclose`: an admin's word."""

    to = Text(max_length=40, required=False)
    to_upstream = Text(max_length=40, required=False)
    disclose = Flag(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two. Raises ValidationError."""
        if ("to" in attrs) == ("to_upstream" in attrs):
            raise serializers.ValidationError({"to": ["Name a registry in “to”, or an upstream of this one in “to_upstream”."]})
        return attrs


class PullOrder(MoveOrder):
    """Where from: an upstream of the registry by name; without one, whichever the rule lets answer."""

    upstream = Text(max_length=40, required=False)


class MovedShown(serializers.Serializer[Any]):
    """A version where it was to go; `present`: it was there already, with the same bytes."""

    name = serializers.CharField()
    version = serializers.CharField()
    result = serializers.ChoiceField(choices=["pushed", "pulled", "present"])
    internal = serializers.BooleanField()
    integrity = serializers.CharField()


class LeftOutShown(serializers.Serializer[Any]):
    """A dependency that did not come along."""

    name = serializers.CharField()
    wanted = serializers.CharField()
    why = serializers.CharField()


class OutcomeShown(serializers.Serializer[Any]):
    """What came of a push or a pull. `from` and `to`: a registry, or the name of an upstream ("" where the rule chose)."""

    to = serializers.CharField(source="goal")
    versions = MovedShown(many=True, source="moved")
    left_out = LeftOutShown(many=True)

    def get_fields(self) -> dict[str, Any]:
        """With `from`, which is no name a class could have."""
        return {"from": serializers.CharField(source="origin"), **super().get_fields()}
