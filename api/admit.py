"""Asked by the entry before a long body of REST is received: an upload is refused by its head, never after a gigabyte."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from rest_framework.request import Request
from rest_framework.response import Response

from api import throttle
from api.base import Door
from api.names import format_named
from api.views.mirrors import MirrorsView
from api.views.packages import FormatView
from registries.gate import registry_for, registry_for_upload
from workspaces.access import Action

ADMITTED = 204


class Admission(FormatView):
    """The upload's credentials (session and CSRF header included), length and gate, without its body."""

    http_method_names = ["post"]
    schema = None

    def check_throttles(self, request: Request) -> None:  # noqa: ARG002 - the framework's signature
        """Refuse, but leave the counting to the request itself."""
        throttle.look(self.actor).check()

    def post(self, request: Request, ws: str, reg: str, format: str) -> Response:  # noqa: A002, ARG002 - the address's own word
        """204: come in."""
        registry_for_upload(self.actor, ws, reg, format)
        format_named(format)
        return Response(status=ADMITTED)


class OrderAdmission(MirrorsView):
    """The same of a mirror's order, which may hold a lock file."""

    http_method_names = ["post"]
    schema = None

    def check_throttles(self, request: Request) -> None:  # noqa: ARG002 - the framework's signature
        """Refuse, but leave the counting to the request itself."""
        throttle.look(self.actor).check()

    def post(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """204: come in."""
        registry_for(self.actor, ws, reg, Action.PUBLISH)
        return Response(status=ADMITTED)


LARGE: Mapping[type[Door], type[Door]] = {FormatView: Admission, MirrorsView: OrderAdmission}


def admit(method: str, path: str, headers: Mapping[str, str], ip: str) -> HttpResponse | int:
    """The refusal, or how many bytes may come. `path` is decoded; bodies of other addresses are small and judged by their view."""
    try:
        found = resolve(path)
    except Resolver404:
        return int(settings.SMALL_BODY_LIMIT)
    view: type[Door] | None = getattr(found.func, "view_class", None)
    if method != "POST" or view is None or view not in LARGE:
        return int(settings.SMALL_BODY_LIMIT)
    response = cast("Response", _ask(LARGE[view], _request(path, headers, ip), found.kwargs))
    return view.body_limit if response.status_code == ADMITTED else response.render()


def _ask(admission: type[Door], request: HttpRequest, parts: Mapping[str, Any]) -> Any:
    def view(asked: HttpRequest) -> Any:
        return admission.as_view()(asked, **parts)

    return SessionMiddleware(AuthenticationMiddleware(view))(request)


def _request(path: str, headers: Mapping[str, str], ip: str) -> HttpRequest:
    environ: dict[str, object] = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "REMOTE_ADDR": ip, "wsgi.input": BytesIO()}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http"}
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in {"CONTENT_LENGTH", "CONTENT_TYPE"} else f"HTTP_{key}"] = value
    # A form in the body cannot be read yet, so the CSRF token has to be in its header.
    environ["CONTENT_TYPE"] = "application/octet-stream"
    return WSGIRequest(environ)
