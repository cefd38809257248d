"""`workspaces/{ws}/secrets/`: values that upstreams name as ${NAME}. Admins write them; nobody reads them."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door, ListDoor
from api.schema import described
from api.serializers.people import SecretChange, SecretNew, SecretShown
from upstreams.services.secrets import labels_of, remove_secret, replace_secret, users_of
from workspaces.access import Action
from workspaces.models import Workspace
from workspaces.selectors import workspace_for
from workspaces.services.secrets import add_secret, secret_of, secrets_of


class SecretsView(ListDoor):
    """The secrets of a workspace."""

    @described(
        "secrets_list", returns=SecretShown, many=True, order={"name": "name", "created_at": "created_at", "updated_at": "updated_at"}
    )
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Their names, by name."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        return self.page(secrets_of(workspace), SecretShown, users=_users(workspace))

    @described("secrets_create", body=SecretNew, returns=SecretShown, code=201)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Add one; 409 for a name that is there."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        secret = add_secret(actor=self.actor, workspace=workspace, **self.read(SecretNew))
        return Response(SecretShown(secret, context={"users": {}}).data, status=201)


class SecretView(Door):
    """One secret."""

    @described("secrets_read", returns=SecretShown)
    def get(self, request: Request, ws: str, name: str) -> Response:  # noqa: ARG002 - the framework's signature
        """When its value was written, and who names it."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        return Response(SecretShown(secret_of(workspace, name), context={"users": _users(workspace)}).data)

    @described("secrets_change", body=SecretChange, returns=SecretShown)
    def patch(self, request: Request, ws: str, name: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Give it another value, which holds from the next request of an upstream on."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        secret, values = secret_of(workspace, name), self.read(SecretChange)
        if values:
            secret = replace_secret(actor=self.actor, secret=secret, value=values["value"])
        return Response(SecretShown(secret, context={"users": _users(workspace)}).data)

    @described("secrets_remove", code=204)
    def delete(self, request: Request, ws: str, name: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Remove it; 409 `secret_in_use` while an upstream names it."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        remove_secret(actor=self.actor, secret=secret_of(workspace, name))
        return Response(status=204)


def _users(workspace: Workspace) -> dict[str, list[str]]:
    return {name: labels_of(users) for name, users in users_of(workspace).items()}
