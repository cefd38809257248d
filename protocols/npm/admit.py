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


def admit(method: str, path: str, headers: Mapping[str, str], ip: str) -> HttpResponse | None:
    """The refusal, or None: come in. `path` is decoded, `headers` are named in any case; no body is touched."""
    request = _request(method, path, headers, ip)
    try:
        match = resolve(path)
    except Resolver404:
        return None
    handler = match.func.methods.get(method) if isinstance(match.func, Door) else None
    if handler is None:
        return None
    response = guarded(_admission(handler), request, **match.kwargs)
    return None if response is ADMITTED or not isinstance(response, HttpResponse) else response


def _admission(handler: object) -> Callable[..., HttpResponseBase]:
    action, limit = LONG.get(handler, (Action.READ, lambda: settings.SMALL_BODY_LIMIT))

    def ask(request: HttpRequest, ws: str, reg: str, **parts: str) -> HttpResponseBase:
        if handler in LONG:
            visit_package(request, ws, reg, parts["pkg"], action)
        elif handler not in OPEN:
            visit(request, ws, reg)
        check_head(request, limit())
        return ADMITTED

    return ask


def _request(method: str, path: str, headers: Mapping[str, str], ip: str) -> HttpRequest:
    environ: dict[str, object] = {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": ip, "wsgi.input": BytesIO()}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{key}"] = value
    return WSGIRequest(environ)
