"""`registries/{reg}/packages/`: what a registry holds, and uploads."""

from django.conf import settings
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from api import reads
from api.base import Door, ListDoor
from api.errors import NotYet
from api.names import format_named, package_name
from api.parsers import Upload
from api.schema import described
from api.serializers.packages import (
    PackageFilter,
    PackageFilterWithin,
    PackageShown,
    PackageUpload,
    VersionShown,
)
from packages.models import Format, Package
from packages.selectors import dependents_of, package_of
from packages.services.upload import publish_file
from packages.services.versions import unpublish_package
from registries.gate import registry_for, registry_for_upload
from registries.models import Registry
from workspaces.access import Action, Actor, Target


class PackagesView(ListDoor):
    """The packages of every format."""

    @described("packages_list", returns=PackageShown, many=True, filters=PackageFilter, order={"name": "name", "updated_at": "updated_at"})
    def get(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """By name."""
        registry = registry_for(self.actor, ws, reg, Action.READ)
        rows = reads.readable_packages(self.actor, registry, **self.query(PackageFilter))
        return self.page(rows, PackageShown, PackageFilter)


class FormatView(ListDoor):
    """The packages of one format."""

    body_limit = settings.FILE_LIMIT + settings.SMALL_BODY_LIMIT
    parser_classes = (Upload,)  # type: ignore[assignment]

    @described(
        "packages_of_format_list",
        returns=PackageShown,
        many=True,
        filters=PackageFilterWithin,
        order={"name": "name", "updated_at": "updated_at"},
    )
    def get(self, request: Request, ws: str, reg: str, format: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """By name."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format))
        format_named(format)
        rows = reads.readable_packages(self.actor, registry, format=format, **self.query(PackageFilterWithin))
        return self.page(rows, PackageShown, PackageFilterWithin)

    @described(
        "packages_upload",
        body={"multipart/form-data": PackageUpload},
        returns=VersionShown,
        code=201,
        also={200: VersionShown},
        outside=True,
    )
    def post(self, request: Request, ws: str, reg: str, format: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """Publish a file. 200 when these very bytes were there already."""
        registry = registry_for_upload(self.actor, ws, reg, format)
        if format_named(format) != "npm":
            raise NotYet(f"Uploading a file of format “{format}” is not there yet; use its own client.")
        sent = self.read(PackageUpload)
        published = publish_file(actor=self.actor, registry=registry, chunks=sent["file"].chunks(), tag=sent["tag"])
        version = reads.listed_version(published.version.package, published.version.version)
        return Response(VersionShown(version).data, status=201 if published.created else 200)


class PackageView(Door):
    """One package."""

    @described("packages_read", returns=PackageShown)
    def get(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """What a list says of it."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format, name))
        package = package_of(registry, format, package_name(format, name))
        return Response(PackageShown(_annotated(self.actor, registry, package).get()).data)

    @described("packages_delete", code=204)
    def delete(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Delete it with all its versions; the name stays internal if it was."""
        registry = registry_for(self.actor, ws, reg, Action.DELETE, Target(format, name))
        unpublish_package(actor=self.actor, registry=registry, format=format, name=package_name(format, name))
        return Response(status=204)


class DependentsView(ListDoor):
    """What needs a package."""

    @described("packages_dependents", returns=PackageShown, many=True, order={"name": "name", "updated_at": "updated_at"})
    def get(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """The packages of the registry whose present version needs it at an install, by name; of npm alone so far."""
        registry = registry_for(self.actor, ws, reg, Action.READ, Target(format, name))
        package = package_of(registry, format, package_name(format, name))
        needing = dependents_of(self.actor, registry, package.name if format == Format.NPM else "")
        rows = reads.readable_packages(self.actor, registry, format=format).filter(pk__in=needing.order_by().values("pk"))
        return self.page(rows, PackageShown)


def _annotated(actor: Actor, registry: Registry, package: Package) -> QuerySet[Package]:
    return reads.readable_packages(actor, registry, format=package.format).filter(pk=package.pk)
