"""`workspaces/{ws}/invitations/`: links that make somebody a member; `invitations/accept/` uses one."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door, ListDoor
from api.schema import described
from api.serializers.common import Fault
from api.serializers.invitations import InvitationLink, InvitationMade, InvitationNew, InvitationShown
from api.serializers.people import WorkspaceShown
from workspaces.access import Action
from workspaces.errors import Unauthenticated
from workspaces.selectors import workspace_for
from workspaces.services.invitations import accept_invitation, invite, open_invitation, open_invitations, withdraw_invitation
from workspaces.services.people import parse_role


class InvitationsView(ListDoor):
    """The open invitations of a workspace."""

    @described("invitations_list", returns=InvitationShown, many=True, order={"created_at": "created_at", "expires_at": "expires_at"})
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Those that nobody has used yet, the newest first; their links are not shown again."""
        return self.page(open_invitations(workspace_for(self.actor, ws, Action.MANAGE)), InvitationShown)

    @described("invitations_create", body=InvitationNew, returns=InvitationMade, code=201)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Invite somebody; `url` is shown this once. Only an owner invites an owner."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        values = self.read(InvitationNew)
        made, secret = invite(actor=self.actor, workspace=workspace, role=parse_role(values["role"]), email=values["email"])
        return Response(InvitationMade(made, context={"secret": secret}).data, status=201)


class InvitationView(Door):
    """One open invitation."""

    @described("invitations_read", returns=InvitationShown)
    def get(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Whom it is for, and until when it is good."""
        return Response(InvitationShown(open_invitation(workspace_for(self.actor, ws, Action.MANAGE), int(id))).data)

    @described("invitations_withdraw", code=204)
    def delete(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Its link ends at once."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        withdraw_invitation(actor=self.actor, workspace=workspace, invitation_id=int(id))
        return Response(status=204)


class AcceptInvitationView(Door):
    """The use of a link."""

    @described("invitations_accept", body=InvitationLink, returns=WorkspaceShown, also={410: Fault})
    def post(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """Become a member; 410 for a link that is over."""
        if self.actor.is_anonymous:
            raise Unauthenticated("Sign in, or send a token.")
        secret = self.read(InvitationLink)["url"].rstrip("/").rpartition("/")[2]
        return Response(WorkspaceShown(accept_invitation(actor=self.actor, secret=secret)).data)
