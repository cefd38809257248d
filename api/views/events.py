"""`workspaces/{ws}/events/`: the audit log, for admins."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import ListDoor
from api.schema import described
from api.serializers.people import EventFilter, EventShown
from upstreams.selectors.events import events_of
from workspaces.access import Action
from workspaces.selectors import workspace_for


class EventsView(ListDoor):
    """The audit log of a workspace."""

    @described("events_list", returns=EventShown, many=True, filters=EventFilter, order={"id": "id"})
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Newest first."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        return self.page(events_of(workspace, **self.query(EventFilter)), EventShown, EventFilter)
