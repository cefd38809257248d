"""`PUT /:pkg`: publish, deprecate or star, told apart by the body (reference/npm.md, rule 9)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from packages.blobs import Staging
from packages.formats.errors import NotSupported
from packages.formats.npm.publish import Intake, Kind, check_names, deprecations, kind_of, parse_publish
from packages.formats.npm.scan import scan
from packages.services.publish import publish
from packages.services.versions import deprecate
from protocols.npm.door import Body, PackageVisit, visit_package
from protocols.npm.errors import json_response
from workspaces.access import Action


def write_package(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """Authorised on the name in the address before the body is read; nothing of it is held in memory whole."""
    here = visit_package(request, ws, reg, pkg, Action.PUBLISH)
    with Staging(limit=settings.FILE_LIMIT) as staging:
        intake = Intake(staging)
        document = scan(Body(request, settings.PUBLISH_LIMIT), intake.sink_for)
        match kind_of(document):
            case Kind.PUBLISH:
                return _publish(here, document, intake, staging)
            case Kind.DEPRECATE:
                return _deprecate(here, document)
            case Kind.STAR:
                raise NotSupported("Stars are not kept here.")


def _publish(here: PackageVisit, document: dict[str, object], intake: Intake, staging: Staging) -> HttpResponse:
    publication = parse_publish(here.name.full, document, intake.name, staging.finish())
    published = publish(actor=here.actor, registry=here.registry, publication=publication)
    body = {"ok": True, "success": True, "id": here.name.full, "version": publication.version}
    return json_response(body, 201 if published.created else 200)


def _deprecate(here: PackageVisit, document: dict[str, object]) -> HttpResponse:
    check_names(here.name.full, document)
    messages = deprecations(document)
    changed = deprecate(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, messages=messages)
    return json_response({"ok": True, "id": here.name.full, "changed": changed})
