"""`packages/{format}/{name}/resolution/` and `tombstone/`: what the rule says of a name."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door
from api.errors import NotYet
from api.names import package_name
from api.schema import described
from api.serializers.packages import Resolution, ResolutionQuery, TombstoneShown
from packages.services.versions import remove_tombstone
from registries.gate import registry_for
from upstreams.services.explain import explain
from workspaces.access import Action, Target
from workspaces.selectors import workspace_for


class ResolutionView(Door):
    """Why this version? For members: the trace names upstreams."""

    @described("resolution_read", returns=Resolution, filters=ResolutionQuery, outside=True)
    def get(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """The trace of the rule for this name, which need not exist."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format, name))
        workspace_for(self.actor, ws, Action.READ)
        name = package_name(format, name)
        if format not in {"npm", "moonbit"}:
            raise NotYet(f"The trace for format “{format}” is not there yet.")
        return Response(explain(registry, format, name, **self.query(ResolutionQuery)))


class TombstoneView(Door):
    """What keeps a name internal after its internal versions are gone."""

    @described("tombstone_read", returns=TombstoneShown)
    def get(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """The tombstone of the name here, 404 without one."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format, name))
        workspace_for(self.actor, ws, Action.READ)
        return Response(TombstoneShown(reads.tombstone_of(registry, format, package_name(format, name))).data)

    @described("tombstone_remove", code=204)
    def delete(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Let the name be asked for outside again."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE, Target(format, name))
        remove_tombstone(actor=self.actor, registry=registry, format=format, name=package_name(format, name))
        return Response(status=204)
