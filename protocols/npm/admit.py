"""What the entry asks before it takes in a long body: may this caller send it here at all."""

from collections.abc import Callable, Mapping
from io import BytesIO

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve

from packages.errors import BodyTooLarge
from packages.formats.npm.scan import SKELETON_LIMIT
from protocols.npm.door import PLAIN, Door, check_head, guarded, visit
from protocols.npm.members import visit_writer
from protocols.npm.views import absent, audit, later, publish, session, unpublish
from protocols.npm.zipped import GZIP
from workspaces.access import Action
from workspaces.errors import Denied

ADMITTED, ADMITTED_SMALL = HttpResponse(status=204), HttpResponse(status=204)
# The routes whose bodies may be long, with what the gate is asked and how long.
LONG: Mapping[object, tuple[Action, Callable[[], int]]] = {
    publish.write_package: (Action.PUBLISH, lambda: settings.PUBLISH_LIMIT),
    unpublish.write_revision: (Action.DELETE, lambda: SKELETON_LIMIT),
}
AUDITS = frozenset({audit.read_advisories, audit.read_report})
# Views that read no body answer before it comes: a staged publish may be long, and "too large" would be no reason.
BODILESS = frozenset({absent.absent, later.stage, later.trust, later.hooks, later.exchange, later.nothing})
OPEN = frozenset({session.start, session.legacy_login, session.logout, session.poll})  # look at no Authorization


def admit(method: str, path: str, headers: Mapping[str, str], ip: str) -> HttpResponse | int:
    """The refusal, or how many bytes of a body this address takes. `path` is decoded; no body is touched."""
    request, small = _request(method, path, headers, ip), int(settings.SMALL_BODY_LIMIT)
    try:
        match = resolve(path)
    except Resolver404:
        return small
    if not isinstance(match.func, Door):
        return small
    handler = match.func.methods.get(method)
    if handler is None:
        return match.func.refuse(method)
    if handler in BODILESS:
        refusal = guarded(handler, request, **match.kwargs)
        return refusal if isinstance(refusal, HttpResponse) else small
    action, limit = LONG.get(handler, (Action.READ, lambda: int(settings.AUDIT_LIMIT) if handler in AUDITS else small))
    response = guarded(_admission(handler, action, limit()), request, **match.kwargs)
    if response is ADMITTED_SMALL:
        return small
    return limit() if response is ADMITTED or not isinstance(response, HttpResponse) else response


def _admission(handler: object, action: Action, limit: int) -> Callable[..., HttpResponseBase]:
    def ask(request: HttpRequest, ws: str, reg: str, **parts: str) -> HttpResponseBase:
        if handler in LONG:
            return _long(request, visit_writer(request, ws, reg, parts["pkg"], action)[1], limit)
        if handler not in OPEN:
            visit(request, ws, reg)
        check_head(request, limit, GZIP if handler in AUDITS else PLAIN)
        return ADMITTED

    return ask


def _long(request: HttpRequest, refusal: Denied | None, limit: int) -> HttpResponse:
    """Who may not do what long bodies are for may still send what is small by nature: a star, a list of owners."""
    if refusal is None:
        check_head(request, limit)
        return ADMITTED
    try:
        check_head(request, int(settings.SMALL_BODY_LIMIT))
    except BodyTooLarge:
        raise refusal from None
    return ADMITTED_SMALL


def _request(method: str, path: str, headers: Mapping[str, str], ip: str) -> HttpRequest:
    environ: dict[str, object] = {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": ip, "wsgi.input": BytesIO()}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{key}"] = value
    return WSGIRequest(environ)
