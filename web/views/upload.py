"""Publishing a tarball from the browser."""

from collections.abc import Mapping
from io import BytesIO
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from packages.services.upload import publish_file
from registries.gate import registry_for
from registries.models import Registry
from web.doors import door
from web.errors import status_of
from web.upload_form import UploadForm
from web.views.registry import frame
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied, Invalid, TooLarge

ADMITTED = 204
UPLOAD_LIMIT = settings.FILE_LIMIT + settings.SMALL_BODY_LIMIT


@door("GET", "POST")
def upload(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """Choose a file, publish it, look at the version it became."""
    found = registry_for(actor, ws, reg, Action.PUBLISH)
    if request.method != "POST":
        return _page(request, actor, found, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, actor, found, form, 400)
    try:
        published = publish_file(actor=actor, registry=found, chunks=form.cleaned_data["file"].chunks(), tag=form.cleaned_data["tag"])
    except (Invalid, Conflict, Denied, TooLarge) as error:
        form.refuse(error)
        return _page(request, actor, found, form, status_of(error))
    version = published.version
    named = {"name": version.package.name, "version": version.version}
    said = (
        _("%(name)s %(version)s is published.") if published.created else _("%(name)s %(version)s was here already, with the same bytes.")
    )
    messages.success(request, said % named)
    answer = redirect("web:version", ws, reg, version.package.format, version.package.name, version.version)
    if request.headers.get("X-Requested-With") == "XMLHttpRequest":  # a script that followed the redirect would use up the message
        answer.status_code, answer.headers["X-Location"] = ADMITTED, answer.headers["Location"]
        del answer.headers["Location"]
    return answer


def _page(request: HttpRequest, actor: Actor, found: Registry, form: UploadForm, status: int = 200) -> HttpResponse:
    return render(request, "registry/upload.html", {**frame(actor, found, "packages"), "form": form}, status=status)


def admit(path: str, headers: Mapping[str, str], ip: str) -> int:
    """How many bytes a form may bring to `path` (decoded): a file only to this page, and only from who may publish there.

    Asked by the entry before a body is received. The CSRF token is in the body and looked at when that is read.
    """
    try:
        found = resolve(path)
    except Resolver404:
        return int(settings.SMALL_BODY_LIMIT)
    if found.view_name != "web:registry-upload":
        return int(settings.SMALL_BODY_LIMIT)

    def gate(asked: HttpRequest) -> HttpResponse:
        return _gate(asked, **found.kwargs)

    answer = cast("HttpResponse", SessionMiddleware(AuthenticationMiddleware(gate))(_head(path, headers, ip)))
    return UPLOAD_LIMIT if answer.status_code == ADMITTED else int(settings.SMALL_BODY_LIMIT)


@door("POST")
def _gate(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:  # noqa: ARG001 - a door's signature
    registry_for(actor, ws, reg, Action.PUBLISH)
    return HttpResponse(status=ADMITTED)


def _head(path: str, headers: Mapping[str, str], ip: str) -> HttpRequest:
    environ: dict[str, object] = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "REMOTE_ADDR": ip, "wsgi.input": BytesIO()}
    environ |= {"SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "HTTP_ACCEPT": "application/json"}
    cookie = next((value for name, value in headers.items() if name.lower() == "cookie"), "")
    return WSGIRequest({**environ, "HTTP_COOKIE": cookie})
