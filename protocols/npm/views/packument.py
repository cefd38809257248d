"""Metadata: the packument, one version, and the registry itself."""

from django.http import HttpRequest, HttpResponse

from packages.errors import VersionNotFound
from packages.formats.npm.packument import render_version
from protocols import wire
from protocols.npm.door import PackageVisit, answers_from_home, is_home_question, visit, visit_package
from protocols.npm.errors import json_response
from protocols.npm.render import json_document, packument_response
from upstreams.memory import parsed
from upstreams.services import documents


def read_registry(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """The registry's own address: that it is there."""
    here = visit(request, ws, reg)
    return json_response({"ok": True, "registry": here.base_url})


def read_package(request: HttpRequest, ws: str, reg: str, pkg: str) -> HttpResponse:
    """The packument, full or abbreviated as `Accept` says."""
    here, form = visit_package(request, ws, reg, pkg), wire.form_of(request.headers.get("Accept", ""))
    return packument_response(request, document_for(request, here, form))


def document_for(request: HttpRequest, here: PackageVisit, form: str) -> documents.Rendered:
    """From home alone around a publish, else by the rule."""
    if _is_around_publish(request, here):
        return documents.home_packument(here.registry, here.name, form, here.base_url)
    return documents.packument(here.registry, here.name, form, here.base_url)


def _is_around_publish(request: HttpRequest, here: PackageVisit) -> bool:
    return is_home_question(request) and answers_from_home(here)


def read_version(request: HttpRequest, ws: str, reg: str, pkg: str, wanted: str) -> HttpResponse:
    """One version's manifest, by number or tag; from home alone around a publish. Raises VersionNotFound."""
    here = visit_package(request, ws, reg, pkg)
    if _is_around_publish(request, here):
        manifest = render_version(home_document(here), here.name, wanted, here.base_url)
        if manifest is None:
            raise VersionNotFound(f"{here.name.full} has no version or tag “{wanted[:80]}” of its own here.")
        return json_document(request, manifest)
    return json_document(request, documents.version_manifest(here.registry, here.name, wanted, here.base_url))


def home_document(here: PackageVisit) -> dict[str, object]:
    """The full packument of what is at home, parsed: what a client read before it writes."""
    rendered = documents.home_packument(here.registry, here.name, "full", here.base_url)
    document: dict[str, object] = parsed(rendered.plain())
    return document
