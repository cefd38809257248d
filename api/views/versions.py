"""`packages/{format}/{name}/versions/`: versions, their internal flag and deprecation."""

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.names import package_name
from api.schema import described
from api.serializers.filters import VersionFilter
from api.serializers.packages import VersionChange, VersionShown
from packages.selectors import package_of
from packages.services.versions import deprecate, set_internal
from registries.gate import registry_for
from upstreams.services.acceptance import accept_bytes
from upstreams.services.removal import unpublish_version
from workspaces.access import Action, Target


class VersionsView(ListDoor):
    """The versions of a package."""

    @described(
        "versions_list", returns=VersionShown, many=True, order={"created_at": "created_at", "version": "version"}, filters=VersionFilter
    )
    def get(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Newest first."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format, name))
        package = package_of(registry, format, package_name(format, name))
        return self.page(reads.listed_versions(package), VersionShown, VersionFilter)


class VersionView(Door):
    """One version."""

    @described("versions_read", returns=VersionShown)
    def get(self, request: Request, ws: str, reg: str, format: str, name: str, version: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """The version."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format, name))
        package = package_of(registry, format, package_name(format, name))
        return Response(VersionShown(reads.listed_version(package, version)).data)

    @described("versions_change", body=VersionChange, returns=VersionShown)
    def patch(self, request: Request, ws: str, reg: str, format: str, name: str, version: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Tick or untick `internal` (admins), or set `deprecated` (publishers)."""
        target = Target(format, name)
        registry = registry_for(self.actor, ws, reg, Action.PUBLISH, target)
        values = self.read(VersionChange)
        if "internal" in values:
            registry_for(self.actor, ws, reg, Action.MANAGE, target)
        package = package_of(registry, format, package_name(format, name))
        reads.listed_version(package, version)
        self._change({"registry": registry, "format": format, "name": package.name}, version, values)
        return Response(VersionShown(reads.listed_version(package, version)).data)

    @described("versions_delete", code=204)
    def delete(self, request: Request, ws: str, reg: str, format: str, name: str, version: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Delete it; its number is not given out again, the name stays internal if it was."""
        registry = registry_for(self.actor, ws, reg, Action.DELETE, Target(format, name))
        where: dict[str, Any] = {"registry": registry, "format": format, "name": package_name(format, name)}
        unpublish_version(actor=self.actor, version=version, **where)
        return Response(status=204)

    @transaction.atomic
    def _change(self, where: dict[str, Any], version: str, values: dict[str, Any]) -> None:
        """Both changes or neither."""
        if "internal" in values:
            set_internal(actor=self.actor, version=version, internal=values["internal"], **where)
        if "deprecated" in values:
            deprecate(actor=self.actor, messages={version: values["deprecated"] or ""}, **where)


class AcceptView(Door):
    """Other bytes under a number."""

    @described("versions_accept", code=204)
    def post(self, request: Request, ws: str, reg: str, format: str, name: str, version: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Let go of what was first promised of a version that is not held here: what its source offers now counts. For admins."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE, Target(format, name))
        accept_bytes(actor=self.actor, registry=registry, format=format, name=package_name(format, name), version=version)
        return Response(status=204)
