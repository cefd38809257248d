"""`workspaces/{ws}/alerts/`: what somebody should look at. Members see it, admins acknowledge."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door, ListDoor
from api.pagination import Pages
from api.schema import described
from api.serializers.alerts import Acknowledging, AlertFilter, AlertShown
from upstreams.selectors.alerts import alerts_told
from workspaces.access import Action, Actor
from workspaces.errors import Denied
from workspaces.models import Workspace
from workspaces.selectors import alert_groups, workspace_for
from workspaces.services.alerts import acknowledge


class AlertsView(ListDoor):
    """The alerts of a workspace."""

    @described(
        "alerts_list",
        returns=AlertShown,
        many=True,
        filters=AlertFilter,
        order={"last_at": "last", "first_at": "first_at", "number": "number", "action": "action"},
    )
    def get(self, request: Request, ws: str) -> Response:
        """The newest first; those of one kind about one thing are one."""
        workspace = for_all_names(self.actor, ws)
        seen = self.query(AlertFilter)["state"] == "acknowledged"
        pages = Pages()
        groups = pages.paginate_queryset(self.ordered(alert_groups(workspace, acknowledged=seen)), request, view=self) or []
        return pages.get_paginated_response(AlertShown(alerts_told(workspace, groups, acknowledged=seen), many=True).data)


class AcknowledgeView(Door):
    """Saying that one was looked at."""

    @described("alerts_acknowledge", body=Acknowledging, code=204)
    def post(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """It, and earlier ones of its kind about the same thing, are open no more; the next one is."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        acknowledge(actor=self.actor, workspace=workspace, alerts_seen=[int(id)], **self.read(Acknowledging))
        return Response(status=204)


def for_all_names(actor: Actor, slug: str) -> Workspace:
    """The workspace, where a list names any package: a token that may read only some may not look. Raises Denied."""
    found = workspace_for(actor, slug)
    if actor.grant is not None and actor.grant.scopes is not None:
        raise Denied("This list names any package; it needs a token without scopes.")
    return found
