"""People, membership, workspaces, claims, events."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.fields import Flag, Text
from api.serializers.common import Body, Query
from packages.models import Usage
from upstreams.selectors.events import KINDS, QUIET
from workspaces.access import Role
from workspaces.models import Claim, Event, Membership, Secret, User, Workspace

ROLES = [role.word for role in Role]


class RoleStanding(serializers.Serializer[Any]):
    """A workspace the caller belongs to and as what."""

    slug = serializers.CharField()
    role = serializers.ChoiceField(choices=ROLES)


class Whoami(serializers.Serializer[Any]):
    """Who the credentials belong to; `token` is the name of the token used, or null."""

    username = serializers.CharField()
    operator = serializers.BooleanField()
    token = serializers.CharField(allow_null=True)
    workspaces = RoleStanding(many=True)


class UserShown(serializers.ModelSerializer[User]):
    """A person."""

    class Meta:
        model = User
        fields = ("username", "email", "active")

    active = serializers.BooleanField(source="is_active", read_only=True)


class UserChange(Body):
    """Shut out of the installation, or let in again."""

    active = Flag()


class UserNew(Body):
    """A person to create."""

    username = Text(max_length=64)
    email = Text(max_length=254, allow_blank=True, default="")
    password = Text(max_length=1024, trim_whitespace=False, write_only=True)


class WorkspaceShown(serializers.ModelSerializer[Workspace]):
    """A workspace."""

    class Meta:
        model = Workspace
        fields = ("slug", "name")


class UsageShown(serializers.Serializer[Usage]):
    """What a registry holds; `bytes` of all files, those that several packages share counted in each."""

    registry = serializers.CharField(source="registry.slug")
    packages = serializers.IntegerField()
    versions = serializers.IntegerField()
    bytes = serializers.IntegerField()
    counted_at = serializers.DateTimeField()


class WorkspaceNew(Body):
    """A workspace to create; its creator is its owner."""

    slug = Text(max_length=100)
    name = Text(max_length=200, allow_blank=True, default="")


class WorkspaceChange(Body):
    """What may change of a workspace."""

    name = Text(max_length=200, allow_blank=True)


class MemberShown(serializers.Serializer[Membership]):
    """A member and their role."""

    username = serializers.CharField(source="user.username")
    role = serializers.SerializerMethodField()
    active = serializers.BooleanField(source="is_active")

    def get_role(self, member: Membership) -> str:
        """The role in words."""
        return Role(member.role).word


class MemberNew(Body):
    """A person to add."""

    username = Text(max_length=64)
    role = serializers.ChoiceField(choices=ROLES)


class MemberChange(Body):
    """Another role; or shut out for now (`active` false: the person's tokens give nothing here), and let in again."""

    role = serializers.ChoiceField(choices=ROLES)
    active = Flag()


class ClaimShown(serializers.ModelSerializer[Claim]):
    """A claimed pattern."""

    class Meta:
        model = Claim
        fields = ("id", "pattern", "created_at")


class ClaimNew(Body):
    """A pattern to claim, like @acme/*."""

    pattern = Text(max_length=1000)


class SecretShown(serializers.Serializer[Secret]):
    """A secret's name, when its value was written, and which upstreams name it (`registry upstream`); never the value."""

    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    upstreams = serializers.SerializerMethodField()

    def get_upstreams(self, secret: Secret) -> list[str]:
        """Those of the view's `users`."""
        users: Mapping[str, list[str]] = self.context["users"]
        return users.get(secret.name, [])


class SecretNew(Body):
    """A secret to add; `value` is written and never read."""

    name = Text(max_length=64)
    value = Text(max_length=17_000, trim_whitespace=False, write_only=True)


class SecretChange(Body):
    """Another value."""

    value = Text(max_length=17_000, trim_whitespace=False, write_only=True)


class EventFilter(Query):
    """Which events: of a kind, of one action, by somebody, about something, from an address, in a time."""

    kind = serializers.ChoiceField(choices=(QUIET, *KINDS), required=False)
    action = serializers.CharField(required=False, max_length=64)
    actor = serializers.CharField(required=False, max_length=128)
    object = serializers.CharField(required=False, max_length=400)
    ip = serializers.CharField(required=False, max_length=45)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


@extend_schema_field({"description": "Any JSON; what it is depends on the action."})
class Anything(serializers.JSONField):
    """A value of an event."""


class EventShown(serializers.ModelSerializer[Event]):
    """One line of the audit log."""

    old = Anything(read_only=True)
    new = Anything(read_only=True)

    class Meta:
        model = Event
        fields = ("id", "at", "actor", "action", "object", "old", "new")
