"""What is inside a version, and how often a package was fetched: what its pages show."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door
from api.names import package_name
from api.schema import described
from api.serializers.contents import DependenciesShown, DownloadsFilter, DownloadsShown, FilesShown
from packages.browsing import files_of
from packages.formats.facts import read_facts
from packages.models import Package, Version
from packages.selectors import package_of, version_of
from packages.tallying import downloads_of
from registries.gate import registry_for
from workspaces.access import Action, Actor, Target


class FilesView(Door):
    """The files of a version."""

    @described("versions_files", returns=FilesShown)
    def get(self, request: Request, ws: str, reg: str, format: str, name: str, version: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Each with its path below the top and its bytes, by path."""
        shelf = files_of(_version(self.actor, ws, reg, Target(format, name), version))
        rows = [{"path": path, "size": size} for path, size in sorted(shelf.sizes.items())]
        shown = {"count": len(rows), "bytes": sum(shelf.sizes.values()), "complete": not shelf.is_cut, "files": rows}
        return Response(FilesShown(shown).data)


class FileView(Door):
    """One file of a version."""

    @described("versions_file", returns=OpenApiResponse(OpenApiTypes.BINARY))
    def get(self, request: Request, ws: str, reg: str, format: str, name: str, version: str, file: str) -> HttpResponse:  # noqa: A002, ARG002
        """Its bytes, at most the first 512 KB; `X-Gatehouse-Size` is the size of the whole."""
        shelf = files_of(_version(self.actor, ws, reg, Target(format, name), version), also=file)
        answer = HttpResponse(shelf.read[file], content_type="application/octet-stream")
        answer.headers["X-Gatehouse-Size"] = str(shelf.sizes[file])
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Disposition"] = "attachment"
        return answer


class DependenciesView(Door):
    """What a version needs."""

    @described("versions_dependencies", returns=DependenciesShown)
    def get(self, request: Request, ws: str, reg: str, format: str, name: str, version: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """By kind, as its manifest has them: names with ranges."""
        found = _version(self.actor, ws, reg, Target(format, name), version)
        groups = read_facts(bytes(found.manifest)).groups
        return Response(DependenciesShown({"groups": {group: dict(pairs) for group, pairs in groups}}).data)


class DownloadsView(Door):
    """How often files of a package were fetched."""

    @described("packages_downloads", returns=DownloadsShown, filters=DownloadsFilter)
    def get(self, request: Request, ws: str, reg: str, format: str, name: str) -> Response:  # noqa: A002, ARG002 - the address's parts
        """Day by day (UTC), today last; of one `version`, or of all."""
        asked = self.query(DownloadsFilter)
        package = _package(self.actor, ws, reg, Target(format, name))
        days = downloads_of(package, asked.get("version", ""), days=asked.get("days", 30))
        shown = {"total": sum(count for _, count in days), "days": [{"day": day, "count": count} for day, count in days]}
        return Response(DownloadsShown(shown).data)


def _package(actor: Actor, ws: str, reg: str, target: Target) -> Package:
    registry = registry_for(actor, ws, reg, Action.READ, target)
    kind = target.format or ""
    return package_of(registry, kind, package_name(kind, target.name or ""))


def _version(actor: Actor, ws: str, reg: str, target: Target, number: str) -> Version:
    package = _package(actor, ws, reg, target)
    found = version_of(package, number)
    found.package = package
    return found
