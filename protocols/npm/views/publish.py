"""`PUT /:pkg`: publish, deprecate or star, told apart by the body (reference/npm.md, rule 9)."""

from collections.abc import Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from packages.blobs import IN_MEMORY, Staging
from packages.formats.errors import DocumentInvalid
from packages.formats.npm.publish import Intake, Kind, check_names, deprecations, kind_of, parse_publish
from packages.formats.npm.scan import scan
from packages.services.publish import publish
from packages.services.versions import deprecate
from packages.tally import PUBLISHED
from protocols.npm.door import Body, PackageVisit, check_head, content_length, read_object
from protocols.npm.errors import json_response
from protocols.npm.members import visit_writer
from protocols.npm.views.stars import star
from workspaces.access import Action
from workspaces.errors import Denied
from workspaces.room import release_connection

NAMED = 5  # fields named in a notice


def write_package(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """Authorised on the name in the address before the body is read; nothing of it is held in memory whole."""
    here, refusal = visit_writer(request, ws, reg, pkg, Action.PUBLISH)
    if refusal is not None:
        return _star_only(request, here, refusal)
    with Staging(limit=settings.FILE_LIMIT, memory=IN_MEMORY) as staging:
        intake = Intake(staging)
        if (content_length(request) or 0) > IN_MEMORY:
            release_connection()  # others need it while all that is read
        document = scan(Body(request, settings.PUBLISH_LIMIT), intake.sink_for)
        match kind_of(document):
            case Kind.PUBLISH:
                return _publish(here, document, intake, staging)
            case Kind.DEPRECATE:
                return _deprecate(here, document)
            case Kind.STAR:
                return star(here, document)


def _star_only(request: HttpRequest, here: PackageVisit, refusal: Denied) -> HttpResponse:
    """A small document of somebody who may not publish: if it is no star it is refused, and for the reason it would have been."""
    check_head(request, settings.SMALL_BODY_LIMIT)
    try:
        document = read_object(request)
        is_star = kind_of(document) is Kind.STAR
    except DocumentInvalid:
        raise refusal from None
    if not is_star:
        raise refusal
    return star(here, document)


def _publish(here: PackageVisit, document: dict[str, object], intake: Intake, staging: Staging) -> HttpResponse:
    publication = parse_publish(here.name.full, document, intake.name, staging.finish())
    published = publish(actor=here.actor, registry=here.registry, publication=publication)
    PUBLISHED["npm"] += published.created
    body = {"ok": True, "success": True, "id": here.name.full, "version": publication.version}
    response = json_response(body, 201 if published.created else 200)
    if publication.differences:
        response.headers["npm-notice"] = _differing(publication.differences)
    return response


def _differing(differences: Sequence[Mapping[str, object]]) -> str:
    """For the person who publishes: what of the words sent along does not count (npm and bun print it)."""
    fields = [str(one["field"]).encode("ascii", "replace").decode() for one in differences[:NAMED]]
    names = ", ".join(field if field.isprintable() else "?" for field in fields)
    more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    return f"The tarball's package.json says otherwise than the document sent with it ({names}{more}); the tarball's is served."


def _deprecate(here: PackageVisit, document: dict[str, object]) -> HttpResponse:
    check_names(here.name.full, document)
    messages = deprecations(document)
    changed = deprecate(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, messages=messages)
    return json_response({"ok": True, "id": here.name.full, "changed": changed})
