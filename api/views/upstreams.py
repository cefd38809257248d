"""`registries/{reg}/upstreams/`: the sources a registry may ask. Members see them, admins change them."""

from typing import cast

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.schema import described
from api.serializers.filters import UpstreamFilter
from api.serializers.registries import ProbeVerdict, UpstreamFields, UpstreamOrder, UpstreamShown, UpstreamWishes
from registries.gate import registry_for
from registries.models import Registry
from upstreams.services.ordering import order_upstreams
from upstreams.services.probing import probe_upstream
from upstreams.services.sources import change_upstream, create_upstream, remove_upstream, upstream_of
from upstreams.services.wishes import UpstreamChanges, UpstreamWish
from workspaces.access import Action, Actor
from workspaces.selectors import workspace_for


class UpstreamsView(ListDoor):
    """The upstreams of a registry."""

    @described("upstreams_list", returns=UpstreamFields, many=True, order={"priority": "priority", "name": "name"}, filters=UpstreamFilter)
    def get(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """In the order they are asked."""
        return self.page(reads.upstreams_of(for_members(self.actor, ws, reg)), UpstreamShown, UpstreamFilter)

    @described("upstreams_create", body=UpstreamWishes, returns=UpstreamFields, code=201)
    def post(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Add a source."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE)
        wish = UpstreamWish(**self.read(UpstreamWishes))
        upstream = create_upstream(actor=self.actor, registry=registry, wish=wish)
        return Response(UpstreamShown(upstream).data, status=201)


class UpstreamsOrderView(Door):
    """The order in which they are asked."""

    @described("upstreams_order", body=UpstreamOrder, code=204)
    def put(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Name each upstream once, the first to be asked first. 409 when there are others meanwhile."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE)
        order_upstreams(actor=self.actor, registry=registry, ids=self.read(UpstreamOrder)["ids"])
        return Response(status=204)


class UpstreamView(Door):
    """One upstream."""

    @described("upstreams_read", returns=UpstreamFields)
    def get(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Its settings; whether a secret is stored, never which."""
        return Response(UpstreamShown(upstream_of(for_members(self.actor, ws, reg), int(id))).data)

    @described("upstreams_change", body=UpstreamWishes, returns=UpstreamFields)
    def patch(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Change it, one of the settings the toggle `internal`. Another scheme, host or port drops the secret."""
        upstream = upstream_of(registry_for(self.actor, ws, reg, Action.MANAGE), int(id))
        values = self.read(UpstreamWishes)
        if values:
            upstream = change_upstream(actor=self.actor, upstream=upstream, changes=cast("UpstreamChanges", values))
        return Response(UpstreamShown(upstream).data)

    @described("upstreams_remove", code=204)
    def delete(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Remove it, with its mirror jobs and schedules; what was pulled from it stays."""
        upstream = upstream_of(registry_for(self.actor, ws, reg, Action.MANAGE), int(id))
        remove_upstream(actor=self.actor, upstream=upstream)
        return Response(status=204)


class UpstreamTestView(Door):
    """The test of an upstream."""

    @described("upstreams_test", returns=ProbeVerdict)
    def post(self, request: Request, ws: str, reg: str, id: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Ask it now, without naming a package, and tell what stands in the way. 200 for any outcome; takes 15 seconds at most."""
        upstream = upstream_of(registry_for(self.actor, ws, reg, Action.MANAGE), int(id))
        return Response(probe_upstream(actor=self.actor, upstream=upstream).as_dict())


def for_members(actor: Actor, workspace: str, registry: str) -> Registry:
    """A public registry's packages are for anybody, where they come from is for members."""
    found = registry_for(actor, workspace, registry, Action.READ)
    workspace_for(actor, workspace, Action.READ)
    return found
