"""Mirror jobs and their schedules."""

from typing import Any

from rest_framework import serializers

from api.fields import Flag, Text
from api.serializers.common import Body
from upstreams.models import Mirror, MirrorSchedule
from upstreams.services.mirroring.report import describe_mirror
from upstreams.services.mirroring.schedules import describe_schedule

PATTERN_LENGTH, PATTERNS = 256, 200


class MirrorFields(serializers.Serializer[Any]):
    """A job: its order, its numbers (of files; a name counts as one until its versions are known), what failed and why.

    `left_out`: optional dependencies that nobody has who may be asked; they are no failures.
    """

    id = serializers.IntegerField()
    upstream = serializers.CharField()
    patterns = serializers.ListField(child=serializers.CharField())
    listed = serializers.CharField()
    dependencies = serializers.BooleanField()
    versions = serializers.CharField()
    full = serializers.BooleanField()
    strict = serializers.BooleanField()
    state = serializers.ChoiceField(choices=Mirror.State.choices)
    cancelling = serializers.BooleanField()
    total = serializers.IntegerField()
    done = serializers.IntegerField()
    failed = serializers.IntegerField()
    left_out = serializers.IntegerField()
    names = serializers.IntegerField()
    errors = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]  # the contract's word, and the framework's
    left_out_why = serializers.ListField(child=serializers.CharField())
    asked_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class MirrorShown(MirrorFields):
    """A job's row in those words."""

    def to_representation(self, instance: Mirror) -> dict[str, object]:
        """As the pages tell it; in a list fewer kinds of trouble."""
        is_one_of_many = isinstance(self.parent, serializers.ListSerializer)
        told = describe_mirror(instance, sentences=5) if is_one_of_many else describe_mirror(instance)
        shown: dict[str, object] = super().to_representation(told)
        return shown


class MirrorOrder(Body):
    """A job to order. `lock`: the text of a lock file, whose versions come instead of, or beside, what meets `patterns`."""

    upstream = Text(max_length=40)
    patterns = serializers.ListField(child=Text(max_length=PATTERN_LENGTH), required=False, max_length=PATTERNS, default=list)
    dependencies = Flag(default=False)
    versions = Text(max_length=PATTERN_LENGTH, allow_blank=True, default="")
    full = Flag(default=False)
    strict = Flag(default=False)
    lock = Text(required=False, allow_blank=True, default="", trim_whitespace=False, write_only=True)
    lock_name = Text(max_length=200, required=False, allow_blank=True, default="", write_only=True)


class ScheduleFields(serializers.Serializer[Any]):
    """A job that is ordered again and again."""

    id = serializers.IntegerField()
    upstream = serializers.CharField()
    patterns = serializers.ListField(child=serializers.CharField())
    dependencies = serializers.BooleanField()
    versions = serializers.CharField()
    full = serializers.BooleanField()
    every = serializers.CharField()
    enabled = serializers.BooleanField()
    next_at = serializers.DateTimeField()
    created_by = serializers.CharField()


class ScheduleShown(ScheduleFields):
    """A schedule's row in those words."""

    def to_representation(self, instance: MirrorSchedule) -> dict[str, object]:
        """The words of the audit log, with what only time tells."""
        usual = {"dependencies": False, "versions": "", "full": False}
        own = {"id": instance.pk, "next_at": instance.next_at, "created_by": instance.created_by}
        shown: dict[str, object] = super().to_representation({**usual, **describe_schedule(instance), **own})
        return shown


class ScheduleWishes(Body):
    """A schedule to add. `every`: `30m`, `1h`, `1d`, or five cron fields in UTC."""

    upstream = Text(max_length=40)
    patterns = serializers.ListField(child=Text(max_length=PATTERN_LENGTH), max_length=PATTERNS)
    every = Text(max_length=100)
    dependencies = Flag(default=False)
    versions = Text(max_length=PATTERN_LENGTH, allow_blank=True, default="")
    full = Flag(default=False)
    enabled = Flag(default=True)


class ScheduleChange(Body):
    """What may change of a schedule; its upstream stays."""

    patterns = serializers.ListField(child=Text(max_length=PATTERN_LENGTH), max_length=PATTERNS)
    every = Text(max_length=100)
    dependencies = Flag()
    versions = Text(max_length=PATTERN_LENGTH, allow_blank=True)
    full = Flag()
    enabled = Flag()
