"""`workspaces/{ws}/tokens/`: service tokens, which belong to the workspace and have a role of their own."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.schema import described
from api.serializers.tokens import ServiceTokenIssued, ServiceTokenNew, ServiceTokenShown, TokenFilter, shown
from api.views.tokens import wish_from
from tokens.services.issue import create_service_token, revoke_token
from workspaces.access import Action
from workspaces.selectors import workspace_for
from workspaces.services.people import parse_role


class ServiceTokensView(ListDoor):
    """The tokens of a workspace."""

    @described(
        "service_tokens_list",
        returns=ServiceTokenShown,
        many=True,
        filters=TokenFilter,
        order={"name": "name", "created_at": "created_at", "expires_at": "expires_at", "last_used_at": "last_used_at"},
    )
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """All of them, newest first."""
        tokens = reads.service_tokens(workspace_for(self.actor, ws, Action.MANAGE))
        return self.page(tokens, ServiceTokenShown, TokenFilter, registries=reads.registry_names(tokens))

    @described("service_tokens_create", body=ServiceTokenNew, returns=ServiceTokenIssued, code=201)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """A new service token, its role at most the creator's. The secret is in `token`, this once."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        values = self.read(ServiceTokenNew)
        role = parse_role(values.pop("role"))
        wish = wish_from(self.actor, values, ws)
        issued = create_service_token(actor=self.actor, workspace=workspace, role=role, wish=wish)
        names = reads.registry_names([issued.token])
        return Response(shown(issued.token, ServiceTokenIssued, names, secret=issued.secret), status=201)


class ServiceTokenView(Door):
    """One token of a workspace."""

    @described("service_tokens_read", returns=ServiceTokenShown)
    def get(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """The token without its secret."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        token = reads.token_among(reads.service_tokens(workspace), int(id))
        return Response(shown(token, ServiceTokenShown, reads.registry_names([token])))

    @described("service_tokens_revoke", code=204)
    def delete(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Revoke it: refused from the very next request."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        token = reads.token_among(reads.service_tokens(workspace), int(id))
        revoke_token(actor=self.actor, token_id=token.pk)
        return Response(status=204)
