"""`workspaces/`: the caller's, and new ones."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.schema import described
from api.serializers.people import UsageShown, WorkspaceChange, WorkspaceNew, WorkspaceShown
from upstreams.services.deletion import delete_workspace
from workspaces.access import Action
from workspaces.errors import Unauthenticated
from workspaces.selectors import workspace_for, workspaces_of
from workspaces.services.spaces import create_workspace, rename_workspace

USAGE_ORDER = {"registry": "registry__slug", "bytes": "bytes", "packages": "packages"}


class WorkspacesView(ListDoor):
    """The caller's workspaces."""

    @described("workspaces_list", returns=WorkspaceShown, many=True, order={"slug": "slug", "name": "name"})
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Those the caller belongs to; all of them for an operator."""
        self._somebody()
        return self.page(workspaces_of(self.actor), WorkspaceShown)

    @described("workspaces_create", body=WorkspaceNew, returns=WorkspaceShown, code=201)
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """A new workspace without a registry; the caller is its owner."""
        self._somebody()
        workspace = create_workspace(actor=self.actor, **self.read(WorkspaceNew))
        return Response(WorkspaceShown(workspace).data, status=201)

    def _somebody(self) -> None:
        if self.actor.is_anonymous:
            raise Unauthenticated("Sign in, or send a token.")


class WorkspaceView(Door):
    """One workspace."""

    @described("workspaces_read", returns=WorkspaceShown)
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Its slug and name."""
        return Response(WorkspaceShown(workspace_for(self.actor, ws)).data)

    @described("workspaces_change", body=WorkspaceChange, returns=WorkspaceShown)
    def patch(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Change the display name."""
        workspace = workspace_for(self.actor, ws, Action.OWN)
        values = self.read(WorkspaceChange)
        if values:
            workspace = rename_workspace(actor=self.actor, workspace=workspace, name=values["name"])
        return Response(WorkspaceShown(workspace).data)

    @described("workspaces_delete", code=204)
    def delete(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Delete it with its registries and everything in them, for good."""
        delete_workspace(actor=self.actor, workspace=workspace_for(self.actor, ws, Action.OWN))
        return Response(status=204)


class UsageView(ListDoor):
    """How much a workspace holds."""

    @described("workspaces_usage", returns=UsageShown, many=True, order=USAGE_ORDER)
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """By registry, as it was counted last: some minutes ago at most while something changes."""
        return self.page(reads.usage(self.actor, workspace_for(self.actor, ws)), UsageShown)
