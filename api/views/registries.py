"""`workspaces/{ws}/registries/`: registries and their settings."""

from typing import Any

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door, ListDoor
from api.schema import described
from api.serializers.filters import RegistryFilter
from api.serializers.registries import AliasShown, RegistryChange, RegistryClone, RegistryNew, RegistryShown
from registries.aliases import release_alias
from registries.gate import registry_for
from registries.models import Registry
from registries.selectors import aliases_of, registries_of
from registries.services import Changes, create_registry
from upstreams.services.clone import clone_registry
from upstreams.services.deletion import delete_registry
from upstreams.services.settings import change_registry
from workspaces.access import Action, Actor
from workspaces.errors import Invalid
from workspaces.models import Workspace
from workspaces.selectors import workspace_for


class RegistriesView(ListDoor):
    """The registries of a workspace."""

    @described("registries_list", returns=RegistryShown, many=True, order={"slug": "slug"}, filters=RegistryFilter)
    def get(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Those the caller may know of, by slug."""
        return self.page(registries_of(self.actor, workspace_for(self.actor, ws)).order_by("slug"), RegistryShown, RegistryFilter)

    @described("registries_create", body=RegistryNew, returns=RegistryShown, code=201)
    def post(self, request: Request, ws: str) -> Response:  # noqa: ARG002 - the framework's signature
        """A new registry, internal and private unless told otherwise. The first is the default."""
        workspace = workspace_for(self.actor, ws, Action.MANAGE)
        registry = _create(self.actor, workspace, self.read(RegistryNew))
        return Response(RegistryShown(registry).data, status=201)


class RegistryView(Door):
    """One registry."""

    @described("registries_read", returns=RegistryShown)
    def get(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Its settings."""
        return Response(RegistryShown(registry_for(self.actor, ws, reg, Action.READ)).data)

    @described("registries_change", body=RegistryChange, returns=RegistryShown)
    def patch(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Change settings, one of them the toggle `internal`: earlier versions keep their flag. A former slug keeps leading here."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE)
        values = self.read(RegistryChange)
        if registry.is_default and values.get("default") is False:
            raise Invalid("A workspace keeps a default; make another registry the default instead.", fields={"default": "needed"})
        changed = change_registry(actor=self.actor, registry=registry, changes=Changes(**values))
        return Response(RegistryShown(changed).data)

    @described("registries_delete", code=204)
    def delete(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Delete it with everything in it, for good; its internal names stay internal. 409 while other registries are fed from it."""
        delete_registry(actor=self.actor, registry=registry_for(self.actor, ws, reg, Action.MANAGE))
        return Response(status=204)


class CloneView(Door):
    """A registry once more, under another slug."""

    @described("registries_clone", body=RegistryClone, returns=RegistryShown, code=201)
    def post(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Settings, packages, versions with their flags, tags, rights and upstreams are copied; bytes are shared."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE)
        clone = clone_registry(actor=self.actor, registry=registry, slug=self.read(RegistryClone)["slug"])
        return Response(RegistryShown(clone).data, status=201)


class AliasesView(ListDoor):
    """The former slugs of a registry."""

    @described("registries_aliases_list", returns=AliasShown, many=True, order={"slug": "slug", "created_at": "created_at"})
    def get(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Each still leads to the registry, and is kept from others until it is released."""
        registry = registry_for(self.actor, ws, reg, Action.MANAGE)
        return self.page(aliases_of(registry), AliasShown)


class AliasView(Door):
    """One former slug."""

    @described("registries_aliases_release", code=204)
    def delete(self, request: Request, ws: str, reg: str, alias: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Release it: it leads nowhere any more and may be taken."""
        release_alias(actor=self.actor, registry=registry_for(self.actor, ws, reg, Action.MANAGE), slug=alias)
        return Response(status=204)


@transaction.atomic
def _create(actor: Actor, workspace: Workspace, values: dict[str, Any]) -> Registry:
    """Create, and make it the default in the same transaction when that was asked."""
    default = values.pop("default")
    registry = create_registry(actor=actor, workspace=workspace, **values)
    if default and not registry.is_default:
        registry = change_registry(actor=actor, registry=registry, changes=Changes(default=True))
    return registry
