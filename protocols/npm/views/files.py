"""Tarballs."""

from django.http import HttpRequest, HttpResponseBase

from packages.services.downloads import Downloaded
from protocols import wire
from protocols.npm.door import visit_package
from protocols.observation import DOWNLOAD
from upstreams.services import files


def read_file(request: HttpRequest, ws: str, reg: str, pkg: str, filename: str) -> HttpResponseBase:
    """A tarball's bytes, by the same rule as the metadata."""
    here = visit_package(request, ws, reg, pkg)
    try:
        opened = files.open_file(here.registry, here.name, filename)
    except FileNotFoundError as error:  # a storage elsewhere has lost it, or holds other bytes
        raise wire.damaged(request, str(error)) from None
    ours = opened.filename if isinstance(opened, files.OpenedFile) else filename
    request.META[DOWNLOAD] = Downloaded(here.registry.pk, here.name.full, ours)
    return wire.file_answer(request, opened)
