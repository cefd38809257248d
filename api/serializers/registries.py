"""Registries and their upstreams."""

from typing import Any

from rest_framework import serializers

from api.fields import Flag, Number, Text
from api.serializers.common import Body
from registries.models import Alias, Registry
from upstreams.models import Upstream
from upstreams.services.wishes import describe

VISIBILITIES = Registry.Visibility.values


class RegistryShown(serializers.Serializer[Registry]):
    """A registry."""

    slug = serializers.CharField()
    description = serializers.CharField()
    internal = serializers.BooleanField(source="is_internal")
    visibility = serializers.ChoiceField(choices=VISIBILITIES)
    default = serializers.BooleanField(source="is_default")
    search_upstream = serializers.BooleanField()
    audit_upstream = serializers.BooleanField()
    archived = serializers.BooleanField(source="is_archived")


class RegistryNew(Body):
    """A registry to create: internal and private unless told otherwise."""

    slug = Text(max_length=100)
    description = Text(max_length=500, allow_blank=True, default="")
    internal = Flag(default=True)
    visibility = serializers.ChoiceField(choices=VISIBILITIES, default=Registry.Visibility.PRIVATE.value)
    default = Flag(default=False)


class RegistryChange(Body):
    """What may change of a registry; its former slug keeps leading to it."""

    slug = Text(max_length=100)
    description = Text(max_length=500, allow_blank=True)
    internal = Flag()
    visibility = serializers.ChoiceField(choices=VISIBILITIES)
    default = Flag()
    search_upstream = Flag()
    audit_upstream = Flag()
    archived = Flag()


class RegistryClone(Body):
    """What a clone is called."""

    slug = Text(max_length=100)


class AliasShown(serializers.Serializer[Alias]):
    """A former slug."""

    slug = serializers.CharField()
    created_at = serializers.DateTimeField()


class UpstreamFields(serializers.Serializer[Any]):
    """The fields of the contract as they are read; whether a secret is stored, never which."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Upstream.Kind.values)
    format = serializers.CharField()
    url = serializers.CharField()
    index_url = serializers.CharField()
    index_type = serializers.ChoiceField(choices=Upstream.IndexType.values)
    package_url_pattern = serializers.CharField()
    registry = serializers.CharField()
    priority = serializers.IntegerField()
    enabled = serializers.BooleanField()
    internal = serializers.BooleanField()
    patterns = serializers.ListField(child=serializers.CharField())
    auth_type = serializers.ChoiceField(choices=Upstream.AuthType.values)
    username = serializers.CharField()
    has_secret = serializers.BooleanField()
    secret_shown = serializers.CharField()
    allow_push = serializers.BooleanField()
    negative_ttl = serializers.IntegerField(allow_null=True)
    connect_timeout = serializers.IntegerField(allow_null=True)
    read_timeout = serializers.IntegerField(allow_null=True)
    total_timeout = serializers.IntegerField(allow_null=True)


class UpstreamShown(UpstreamFields):
    """An upstream row in those words."""

    def to_representation(self, instance: Upstream) -> dict[str, object]:
        """The words of the audit log, with the id."""
        return {"id": instance.pk, **describe(instance)}


class UpstreamWishes(Body):
    """An upstream to add or change; `secret` is written and never read. Absent keeps it, "" removes it."""

    name = Text(max_length=40)
    kind = Text(max_length=20, required=False)
    format = Text(max_length=20, required=False)
    url = Text(max_length=500, required=False)
    index_url = Text(max_length=500, allow_blank=True, required=False)
    index_type = Text(max_length=20, required=False)
    package_url_pattern = Text(max_length=500, allow_blank=True, required=False)
    registry = Text(max_length=40, allow_blank=True, required=False)
    priority = Number(required=False)
    enabled = Flag(required=False)
    internal = Flag(required=False)
    patterns = serializers.ListField(child=Text(max_length=300), required=False, max_length=200)
    auth_type = Text(max_length=20, required=False)
    username = Text(max_length=200, allow_blank=True, required=False)
    secret = Text(max_length=4096, allow_blank=True, required=False, trim_whitespace=False, write_only=True)
    allow_push = Flag(required=False)
    negative_ttl = Number(required=False, allow_null=True)
    connect_timeout = Number(required=False, allow_null=True)
    read_timeout = Number(required=False, allow_null=True)
    total_timeout = Number(required=False, allow_null=True)

    def validate_patterns(self, patterns: list[str]) -> tuple[str, ...]:
        """As the service takes them."""
        return tuple(patterns)


class UpstreamOrder(Body):
    """Every upstream of the registry once, by id."""

    ids = serializers.ListField(child=Number(min_value=1), max_length=1000)


class ProbeVerdict(serializers.Serializer[Any]):
    """What the test of an upstream found: a code for programs, a sentence and a hint for people."""

    ok = serializers.BooleanField()
    code = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)
    sentence = serializers.CharField()
    hint = serializers.CharField()
    millis = serializers.IntegerField()
