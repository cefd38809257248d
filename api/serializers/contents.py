"""What is inside a version, in words of REST."""

from typing import Any

from rest_framework import serializers

from api.serializers.common import Query


class FileShown(serializers.Serializer[Any]):
    """A file of a version: its path below the top, and its bytes."""

    path = serializers.CharField()
    size = serializers.IntegerField()


class FilesShown(serializers.Serializer[Any]):
    """All of them; `complete` false: there are more than are counted here."""

    count = serializers.IntegerField()
    bytes = serializers.IntegerField()
    complete = serializers.BooleanField()
    files = FileShown(many=True)


class DependenciesShown(serializers.Serializer[Any]):
    """Names with ranges, by kind, as `dependencies` or `peerDependencies`."""

    groups = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))


class DownloadsFilter(Query):
    """Of which version, and how many days back."""

    version = serializers.CharField(required=False, max_length=256)
    days = serializers.IntegerField(required=False, min_value=1, max_value=366)


class DayShown(serializers.Serializer[Any]):
    """One day's count."""

    day = serializers.DateField()
    count = serializers.IntegerField()


class DownloadsShown(serializers.Serializer[Any]):
    """Day by day, today last."""

    total = serializers.IntegerField()
    days = DayShown(many=True)
