"""Tarballs."""

from django.http import HttpRequest, HttpResponseBase

from protocols import wire
from protocols.npm.door import visit_package
from upstreams.services import files


def read_file(request: HttpRequest, ws: str, reg: str, pkg: str, filename: str) -> HttpResponseBase:
    """A tarball's bytes, by the same rule as the metadata."""
    here = visit_package(request, ws, reg, pkg)
    return wire.file_answer(request, files.open_file(here.registry, here.name, filename))
