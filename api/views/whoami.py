"""`whoami/`: who the credentials belong to."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door
from api.schema import described
from api.serializers.people import Whoami
from workspaces.errors import Unauthenticated
from workspaces.selectors import workspaces_of


class WhoamiView(Door):
    """The caller."""

    @described("whoami", returns=Whoami)
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Who the credentials belong to, and their role in each workspace."""
        actor = self.actor
        if actor.is_anonymous:
            raise Unauthenticated("Sign in, or send a token.")
        roles = [(workspace.slug, actor.role_in(workspace.pk)) for workspace in workspaces_of(actor)]
        return Response(
            {
                "username": actor.name,
                "operator": actor.is_operator,
                "token": actor.grant.token_name if actor.grant else None,
                "workspaces": [{"slug": slug, "role": role.word} for slug, role in roles if role],
            }
        )
