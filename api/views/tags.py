"""`packages/{format}/{name}/tags/`: movable names for versions."""

from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.names import package_name, tag_name
from api.schema import described
from api.serializers.packages import TagShown, TagTarget
from packages.selectors import package_of
from packages.services.versions import remove_tag, set_tag
from registries.gate import registry_for
from workspaces.access import Action, Target


class TagsView(ListDoor):
    """The tags of a package."""

    @described("tags_list", returns=TagShown, many=True, order={"name": "name"})
    def get(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """By name."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format, name))
        return self.page(reads.tags_of(package_of(registry, format, package_name(format, name))), TagShown)


class TagView(Door):
    """One tag."""

    @described("tags_set", body=TagTarget, returns=TagShown)
    def put(self, request: Request, ws: str, reg: str, format: str, name: str, tag: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Point it at a version that is here; it need not exist yet."""
        registry = registry_for(self.actor, ws, reg, Action.PUBLISH, Target(format, name))
        version = self.read(TagTarget)["version"]
        name, tag = package_name(format, name), tag_name(format, tag)
        set_tag(actor=self.actor, registry=registry, format=format, name=name, tag=tag, version=version)
        return Response(TagShown(reads.tags_of(package_of(registry, format, name)).get(name=tag)).data)

    @described("tags_remove", code=204)
    def delete(self, request: Request, ws: str, reg: str, format: str, name: str, tag: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Remove it; `latest` always points somewhere."""
        registry = registry_for(self.actor, ws, reg, Action.PUBLISH, Target(format, name))
        remove_tag(actor=self.actor, registry=registry, format=format, name=package_name(format, name), tag=tag)
        return Response(status=204)
