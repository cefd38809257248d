"""Unpublishing: `PUT` and `DELETE` with `/-rev/:rev`.

npm unpublishes one version by sending the whole packument back without it. What is deleted is therefore guessed from
what is missing, so the guess is made safe: only versions that the packument at home lists can be missing from it; the
revision must be the present one (else a version published after the client looked would look deleted); and one version
goes at a time, as npm does it.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from packages.errors import PackageChanged
from packages.formats.errors import DocumentInvalid
from packages.formats.npm.attachments import Sink
from packages.formats.npm.publish import check_names, named_versions
from packages.formats.npm.scan import SKELETON_LIMIT, scan
from packages.selectors import package_of, versions_of
from packages.services.versions import unpublish_package
from protocols.npm.door import Body, PackageVisit, visit_package
from protocols.npm.errors import json_response
from protocols.npm.members import visit_writer
from protocols.npm.views.owners import write_maintainers
from protocols.npm.views.packument import home_document
from protocols.npm.views.stars import star
from upstreams.services.removal import unpublish_version
from workspaces.access import Action
from workspaces.errors import NotFound


def write_revision(request: HttpRequest, ws: str, reg: str, pkg: str, rev: str) -> HttpResponse:
    """The packument sent back: without one of its versions to unpublish that; or owners (npm), or stars (pnpm 12)."""
    here, refusal = visit_writer(request, ws, reg, pkg, Action.DELETE)
    document = scan(Body(request, SKELETON_LIMIT if refusal is None else settings.SMALL_BODY_LIMIT), _no_attachments)
    if "versions" not in document and "maintainers" in document:
        return write_maintainers(here, document, rev)
    if "versions" not in document and "users" in document:
        return star(here, document)
    if refusal is not None:
        raise refusal
    check_names(here.name.full, document)
    doomed = missing_versions(here, document, rev)
    for version in doomed:
        unpublish_version(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, version=version)
    return json_response({"ok": True, "id": here.name.full, "removed": doomed})


def remove_package(request: HttpRequest, ws: str, reg: str, pkg: str, rev: str) -> HttpResponse:
    """All versions at once."""
    here = visit_package(request, ws, reg, pkg, Action.DELETE)
    seen = rev.partition("-")[0]
    expected = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else -1  # noqa: PLR2004 - a 64-bit number
    unpublish_package(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, expected_revision=expected)
    return json_response({"ok": True, "id": here.name.full})


def remove_file(request: HttpRequest, ws: str, reg: str, pkg: str, filename: str, rev: str) -> HttpResponse:  # noqa: ARG001 - the address
    """The last step of npm after it sent the packument: the file is gone already, which is what it wants to hear."""
    here = visit_package(request, ws, reg, pkg, Action.DELETE)
    version = filename.removeprefix(f"{here.name.bare}-").removesuffix(".tgz")
    if here.name.tarball(version) == filename:
        try:
            unpublish_version(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, version=version)
        except NotFound:
            return json_response({"ok": True, "id": here.name.full})
    return json_response({"ok": True, "id": here.name.full})


def missing_versions(here: PackageVisit, document: dict[str, object], rev: str) -> list[str]:
    """The version to delete, if any. Raises PackageNotFound, PackageChanged, DocumentInvalid."""
    package = package_of(here.registry, "npm", here.name.full)
    # Versions before the revision: one that is published in between changes the revision, and nothing is deleted.
    held = set(versions_of(package).values_list("version", flat=True))
    listed = named_versions(home_document(here))
    missing = sorted((held & listed) - named_versions(document))
    if not missing:
        return []
    _check_revision(here, rev)
    if len(missing) > 1:
        raise DocumentInvalid(
            f"The document lacks {len(missing)} versions; unpublish one at a time, or the whole package.",
            fields={"versions": "more than one missing"},
        )
    return missing


def _check_revision(here: PackageVisit, rev: str) -> None:
    present = package_of(here.registry, "npm", here.name.full).revision
    if rev.partition("-")[0] != str(present):
        raise PackageChanged(f"{here.name.full} was changed by somebody else in the meantime; run the command again.")


def _no_attachments(name: str) -> Sink:
    raise DocumentInvalid(f"No attachment belongs here, but {name[:100]!r} came.", fields={"_attachments": "unexpected"})
