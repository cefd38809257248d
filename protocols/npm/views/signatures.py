"""What versions are checked with: the keys of their signatures, and what their source attests of them."""

from django.http import HttpRequest, HttpResponse

from packages.errors import VersionNotFound
from protocols.npm.door import MEMBER, answers_from_home, is_home_question, visit, visit_package
from protocols.npm.errors import json_response
from upstreams.services import signatures


def read_keys(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """Our own keys and the upstreams'; an upstream in trouble is missing, and only members hear which."""
    here = visit(request, ws, reg)
    keys, missing = signatures.keys(here.registry)
    response = json_response({"keys": keys})
    if missing:
        names = f" ({', '.join(missing)})" if request.META.get(MEMBER) else ""
        response.headers["npm-notice"] = f"The signing keys of an upstream could not be fetched{names}; its packages cannot be checked now."
    return response


def read_attestations(request: HttpRequest, ws: str, reg: str, pkg: str, version: str) -> HttpResponse:
    """The attestations of one version, as its source has them; around a publish nobody is asked."""
    here = visit_package(request, ws, reg, pkg)
    if is_home_question(request) and answers_from_home(here):
        raise VersionNotFound(f"There are no attestations of {here.name.full}@{version[:80]} here.")
    return json_response(signatures.attestations(here.registry, here.name, version))
