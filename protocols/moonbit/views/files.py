"""Zips, and what moon also asks for and is not here."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from packages.services.downloads import Downloaded
from protocols import wire
from protocols.moonbit.door import FORMAT, visit, visit_module
from protocols.observation import DOWNLOAD
from upstreams.services.modules.standing import open_zip
from workspaces.errors import NotFound


def read_zip(request: HttpRequest, ws: str, reg: str, mod: str, version: str) -> HttpResponseBase:
    """A version's zip, by the same rule as the index. `user/name/version` may be written with encoded slashes."""
    here, name = visit_module(request, ws, reg, mod)
    try:
        opened = open_zip(here.registry, name, version)
    except FileNotFoundError as error:  # a storage elsewhere has lost it, or holds other bytes
        raise wire.damaged(request, str(error)) from None
    request.META[DOWNLOAD] = Downloaded(here.registry.pk, name.full, opened.filename, FORMAT)
    response = wire.file_answer(request, opened)
    response.headers["Content-Type"] = "application/zip"
    return response


def absent(request: HttpRequest, ws: str, reg: str, rest: str = "") -> HttpResponse:  # noqa: ARG001 - the address's rest
    """404, for those who may know of the registry: moon does without symbols and prebuilt files."""
    visit(request, ws, reg)
    raise NotFound("There is nothing at this address.")
