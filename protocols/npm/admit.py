"""What the entry asks before it takes in a long body: may this caller send it here at all."""

from collections.abc import Callable, Mapping
from io import BytesIO

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import Resolver404, resolve

from packages.formats.npm.scan import SKELETON_LIMIT
from protocols.npm.door import Door, check_head, guarded, visit, visit_package
from protocols.npm.views import publish, session, unpublish
from workspaces.access import Action

ADMITTED = HttpResponse(status=204)
# The routes whose bodies may be long, with what the gate is asked and how long.
LONG: Mapping[object, tuple[Action, Callable[[], int]]] = {
    publish.write_package: (Action.PUBLISH, lambda: settings.PUBLISH_LIMIT),
    unpublish.write_revision: (Action.DELETE, lambda: SKELETON_LIMIT),
}
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
    action, limit = LONG.get(handler, (Action.READ, lambda: small))
    response = guarded(_admission(handler, action, limit()), request, **match.kwargs)
    return limit() if response is ADMITTED or not isinstance(response, HttpResponse) else response


def _admission(handler: object, action: Action, limit: int) -> Callable[..., HttpResponseBase]:
    def ask(request: HttpRequest, ws: str, reg: str, **parts: str) -> HttpResponseBase:
        if handler in LONG:
            visit_package(request, ws, reg, parts["pkg"], action)
        elif handler not in OPEN:
            visit(request, ws, reg)
        check_head(request, limit)
        return ADMITTED

    return ask


def _request(method: str, path: str, headers: Mapping[str, str], ip: str) -> HttpRequest:
    environ: dict[str, object] = {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": ip, "wsgi.input": BytesIO()}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{key}"] = value
    return WSGIRequest(environ)
