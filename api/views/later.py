"""Addresses of the contract whose work comes with later issues: authorised like the real thing, then 501 with a sentence."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door
from api.errors import AddressUnknown, NotYet
from api.schema import described
from workspaces.access import Action
from workspaces.selectors import workspace_for


class InvitationsView(Door):
    """`invitations/`."""

    @described("invitations_list", outside=True)
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Not there yet."""
        workspace_for(self.actor, ws, Action.MANAGE)
        raise NotYet("Invitations are not there yet; an operator creates users and an admin adds them as members.")

    @described("invitations_create", outside=True)
    def post(self, request: Request, ws: str) -> Response:
        """Not there yet."""
        return self.get(request, ws)


class UnknownView(Door):
    """Any other address below /api/: 404 in JSON, after the credentials were checked."""

    schema = None

    def get(self, request: Request, path: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Nothing is here."""
        raise AddressUnknown("There is nothing at this address.")

    post = put = patch = delete = get
