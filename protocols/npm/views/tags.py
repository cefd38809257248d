"""dist-tags: list, set, remove."""

import orjson
from django.http import HttpRequest, HttpResponse

from packages.formats.npm.versions import check_tag, check_version
from packages.services.versions import remove_tag, set_tag
from protocols.npm.door import answers_from_home, read_json, visit_package
from protocols.npm.errors import json_response
from protocols.npm.render import json_document
from upstreams.memory import parsed
from upstreams.services import documents
from workspaces.access import Action


def read_tags(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """Tag to version; from home alone for those who may publish here."""
    here = visit_package(request, ws, reg, pkg)
    read = documents.home_packument if answers_from_home(here) else documents.packument
    rendered = read(here.registry, here.name, "abbreviated", here.base_url)
    return json_document(request, orjson.dumps(parsed(rendered.plain())["dist-tags"]))


def write_tag(request: HttpRequest, ws: str, reg: str, pkg: str, tag: str) -> HttpResponse:
    """Point a tag at a version; the body is the version as a JSON string."""
    here = visit_package(request, ws, reg, pkg, Action.PUBLISH)
    version = check_version(read_json(request))
    set_tag(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, tag=check_tag(tag), version=version)
    return json_response({"ok": True, "id": here.name.full, tag: version}, 201)


def delete_tag(request: HttpRequest, ws: str, reg: str, pkg: str, tag: str) -> HttpResponse:
    """Take a tag away; `latest` stays."""
    here = visit_package(request, ws, reg, pkg, Action.PUBLISH)
    remove_tag(actor=here.actor, registry=here.registry, format="npm", name=here.name.full, tag=check_tag(tag))
    return json_response({"ok": True, "id": here.name.full})
