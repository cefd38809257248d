"""`workspaces/{ws}/tombstones/`: names that stay internal though nothing internal is held. Members see them, admins lift them."""

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door, ListDoor
from api.schema import described
from api.serializers.packages import Lifting, LiftingDone, TombstoneFilter, TombstoneListed
from api.views.alerts import for_all_names
from registries.gate import registry_for
from upstreams.selectors.tombstones import tombstones_of
from upstreams.services.tombstones import lift
from workspaces.access import Action


class TombstonesView(ListDoor):
    """The tombstones of a workspace."""

    @described(
        "tombstones_list", returns=TombstoneListed, many=True, filters=TombstoneFilter, order={"name": "name", "created_at": "created_at"}
    )
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """By name."""
        rows = tombstones_of(for_all_names(self.actor, ws), **self.query(TombstoneFilter))
        return self.page(rows, TombstoneListed, TombstoneFilter)


class LiftView(Door):
    """Letting go of what one upstream left."""

    @described("tombstones_lift", body=Lifting, returns=LiftingDone)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """A thousand names at most. 409 while the upstream is internal, 404 when there is nothing to let go."""
        wish = self.read(Lifting)
        registry = registry_for(self.actor, ws, wish.pop("registry"), Action.MANAGE)
        return Response(LiftingDone(lift(actor=self.actor, registry=registry, **wish)).data)
