"""Tokens: shown without their secret, which the answer to a creation holds once."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from api.fields import Flag, Text
from api.serializers.common import Body, Filter
from api.serializers.people import ROLES
from tokens.models import Token, Visit
from workspaces.access import Role

MOST = 100  # entries of one list


class TokenShown(serializers.ModelSerializer[Token]):
    """A token of a person. Context `registries`: id -> `workspace/registry`."""

    registries = serializers.SerializerMethodField()
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    cidrs = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Token
        fields = (
            "id", "name", "prefix", "created_at", "last_used_at", "last_used_ip", "expires_at", "read_only",
            "registries", "scopes", "cidrs",
        )  # fmt: skip

    def get_registries(self, token: Token) -> list[str] | None:
        """Names instead of ids; null is all. A registry that is gone is left out, which widens nothing."""
        if token.registries is None:
            return None
        names: dict[int, str] = self.context.get("registries", {})
        return [names[registry_id] for registry_id in token.registries if registry_id in names]


class TokenFilter(Filter):
    """Tokens with a part of their name."""

    lookups: Mapping[str, str] = {"search": "name__icontains"}
    search = serializers.CharField(required=False, allow_blank=True, max_length=128)


class ServiceTokenShown(TokenShown):
    """A token of a workspace."""

    role = serializers.SerializerMethodField()

    class Meta(TokenShown.Meta):
        fields = (*TokenShown.Meta.fields, "role")  # type: ignore[assignment]

    def get_role(self, token: Token) -> str:
        """The role in words."""
        return Role(token.role or Role.READER).word


class TokenIssued(TokenShown):
    """The answer to a creation: the only one with the secret. Context `secret`."""

    token = serializers.SerializerMethodField()

    class Meta(TokenShown.Meta):
        fields = (*TokenShown.Meta.fields, "token")  # type: ignore[assignment]

    def get_token(self, token: Token) -> str:  # noqa: ARG002 - the framework's signature
        """The secret, once."""
        return str(self.context.get("secret", ""))


class ServiceTokenIssued(ServiceTokenShown, TokenIssued):
    """The same for a token of a workspace."""

    class Meta(TokenShown.Meta):
        fields = (*ServiceTokenShown.Meta.fields, "token")  # type: ignore[assignment]


class TokenNew(Body):
    """A token to create. Without `scopes`: everything its owner may do; without `registries`: all of them."""

    name = Text(max_length=128)
    expires_at = serializers.DateTimeField(allow_null=True, default=None)
    read_only = Flag(default=False)  # type: ignore[assignment]
    registries = serializers.ListField(child=Text(max_length=81), allow_null=True, default=None, max_length=MOST)
    scopes = serializers.ListField(child=Text(max_length=300), allow_null=True, default=None, max_length=MOST)
    cidrs = serializers.ListField(child=Text(max_length=60), default=list, max_length=MOST)


class ServiceTokenNew(TokenNew):
    """A service token to create; `registries` may be written without the workspace. Without `role`: publisher."""

    role = serializers.ChoiceField(
        choices=ROLES, default=Role.PUBLISHER.word, help_text="At most the creator's own role; without it, publisher."
    )


def shown(token: Token, shape: type[TokenShown], names: dict[int, str], **context: Any) -> Any:
    """A token rendered in one of the shapes above."""
    return shape(token, context={"registries": names, **context}).data


class SessionShown(serializers.ModelSerializer[Visit]):
    """A browser that is signed in: what it says of itself, and where it was seen last."""

    class Meta:
        model = Visit
        fields = ("id", "agent", "ip", "created_at", "seen_at")
