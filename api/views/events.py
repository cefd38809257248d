"""`workspaces/{ws}/events/`: the audit log, for admins."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import ListDoor
from api.schema import described
from api.serializers.people import EventShown
from workspaces.access import Action
from workspaces.selectors import workspace_for


class EventsView(ListDoor):
    """The audit log of a workspace."""

    @described("events_list", returns=EventShown, many=True)
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Newest first."""
        return self.page(reads.events_of(workspace_for(self.actor, ws, Action.MANAGE)), EventShown)
