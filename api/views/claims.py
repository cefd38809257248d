"""`workspaces/{ws}/claims/`: name patterns that are internal everywhere in the workspace."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.schema import described
from api.serializers.people import ClaimNew, ClaimShown
from packages.services.shadows import claim
from workspaces.access import Action
from workspaces.selectors import workspace_for
from workspaces.services.spaces import remove_claim


class ClaimsView(ListDoor):
    """The claims of a workspace."""

    @described("claims_list", returns=ClaimShown, many=True, order={"pattern": "pattern", "created_at": "created_at"})
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """All claims, by pattern."""
        return self.page(reads.claims_of(workspace_for(self.actor, ws)), ClaimShown)

    @described("claims_add", body=ClaimNew, returns=ClaimShown, code=201)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Claim a pattern: its names are internal from the next request on."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        made = claim(actor=self.actor, workspace=workspace, **self.read(ClaimNew))
        return Response(ClaimShown(made).data, status=201)


class ClaimView(Door):
    """One claim."""

    @described("claims_read", returns=ClaimShown)
    def get(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """The claim."""
        return Response(ClaimShown(reads.claim_of(workspace_for(self.actor, ws), int(id))).data)

    @described("claims_remove", code=204)
    def delete(self, request: Request, ws: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Give the claim up."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        remove_claim(actor=self.actor, workspace=workspace, claim_id=int(id))
        return Response(status=204)
