"""Invitations to a workspace."""

from django.conf import settings
from rest_framework import serializers

from api.fields import Text
from api.serializers.common import Body
from api.serializers.people import ROLES
from workspaces.access import Role
from workspaces.models import Invitation


class InvitationShown(serializers.ModelSerializer[Invitation]):
    """An open invitation; `email` is a note about whom it is meant for."""

    role = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = ("id", "email", "role", "invited_by", "created_at", "expires_at")

    def get_role(self, invitation: Invitation) -> str:
        """The role in words."""
        return Role(invitation.role).word


class InvitationMade(InvitationShown):
    """The same with its link, this once."""

    url = serializers.SerializerMethodField()

    class Meta(InvitationShown.Meta):
        fields = (*InvitationShown.Meta.fields, "url")  # type: ignore[assignment]

    def get_url(self, invitation: Invitation) -> str:  # noqa: ARG002 - the framework's signature
        """What is handed to that person."""
        return f"{settings.EXTERNAL_HOST.rstrip('/')}/account/invitations/{self.context['secret']}/"


class InvitationNew(Body):
    """Somebody to invite."""

    email = Text(max_length=254, allow_blank=True, default="")
    role = serializers.ChoiceField(choices=ROLES)


class InvitationLink(Body):
    """A link as it was handed over."""

    url = Text(max_length=1000)
