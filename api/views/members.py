"""`workspaces/{ws}/members/`: who belongs to a workspace, and as what."""

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.schema import described
from api.serializers.filters import MemberFilter
from api.serializers.people import MemberChange, MemberNew, MemberShown
from workspaces.access import Action, Actor
from workspaces.errors import Conflict
from workspaces.models import Membership, Workspace
from workspaces.selectors import workspace_for
from workspaces.services.people import parse_role, remove_member, set_active, set_member


class MemberExists(Conflict):
    """The person belongs to the workspace already; PATCH changes the role."""

    code = "member_exists"


class MembersView(ListDoor):
    """The members of a workspace."""

    @described("members_list", returns=MemberShown, many=True, order={"username": "user__username", "role": "role"}, filters=MemberFilter)
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """All members, by name."""
        return self.page(reads.members_of(workspace_for(self.actor, ws)), MemberShown, MemberFilter)

    @described("members_add", body=MemberNew, returns=MemberShown, code=201)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Add a person."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        values = self.read(MemberNew)
        username, role = values["username"], parse_role(values["role"])
        if reads.members_of(workspace).filter(user__username=username).exists():
            raise MemberExists(f"“{username}” is a member already.", fields={"username": "exists"})
        member = set_member(actor=self.actor, workspace=workspace, username=username, role=role)
        return Response(MemberShown(member).data, status=201)


@transaction.atomic
def _changed(actor: Actor, workspace: Workspace, member: Membership, values: dict[str, Any]) -> Membership:
    """Both or neither."""
    username = member.user.username
    if "role" in values:
        member = set_member(actor=actor, workspace=workspace, username=username, role=parse_role(values["role"]))
    if "active" in values:
        member = set_active(actor=actor, workspace=workspace, username=username, active=values["active"])
    return member


class MemberView(Door):
    """One member."""

    @described("members_read", returns=MemberShown)
    def get(self, request: Request, ws: str, username: str) -> Response:  # noqa: ARG002 - the framework's signature
        """The member's role."""
        return Response(MemberShown(reads.member_of(workspace_for(self.actor, ws), username)).data)

    @described("members_change", body=MemberChange, returns=MemberShown)
    def patch(self, request: Request, ws: str, username: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Another role, or shut out for now. Only an owner makes or changes owners."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        member = reads.member_of(workspace, username)
        values = self.read(MemberChange)
        return Response(MemberShown(_changed(self.actor, workspace, member, values)).data)

    @described("members_remove", code=204)
    def delete(self, request: Request, ws: str, username: str) -> Response:  # noqa: ARG002 - the framework's signature
        """End the membership; the rights end with it at once."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        remove_member(actor=self.actor, workspace=workspace, username=username)
        return Response(status=204)
