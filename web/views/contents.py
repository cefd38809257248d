"""What is inside a version: its files, each of them, what it depends on, and what depends on the package."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from packages.browsing import SHOWN, files_of
from packages.formats.facts import read_facts
from packages.models import Format, Package, Version
from packages.selectors import dependents_of, package_of, version_of
from registries.gate import registry_for
from web import reads
from web.doors import asked, door
from web.readme import is_markdown, render_readme
from web.views.package import decided, shown_version, standing, tags_of
from web.views.registry import frame
from workspaces.access import Action, Actor, Target

FILES = 300  # rows on a page


@door("GET")
def files(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """Every file of the version with its size; `q` is a part of the path."""
    context, shown = _begun(actor, ws, reg, format, name, number)
    shelf, search = files_of(shown), asked(request, "q")[:200]
    found = [(path, size) for path, size in sorted(shelf.sizes.items()) if search.lower() in path.lower()]
    context |= {
        "tab_of": "files",
        "page": Paginator(found, FILES).get_page(request.GET.get("page")),
        "search": search,
        "file_count": len(shelf.sizes),
        "total": sum(shelf.sizes.values()),
        "is_cut": shelf.is_cut,
        "query": f"{urlencode({'q': search})}&" if search else "",
    }
    return render(request, "package/files.html", context)


@door("GET")
def file(request: HttpRequest, actor: Actor, /, path: str, **where: str) -> HttpResponse:
    """One file of it as text; what is no text is only told of."""
    context, shown = _begun(actor, **where)
    shelf = files_of(shown, also=path)
    data = shelf.read[path]
    text = _text(data)
    folder = path.rpartition("/")[0]
    base = reverse("web:files", kwargs=where) + (f"{folder}/" if folder else "")
    is_rendered = text is not None and is_markdown(path) and "source" not in request.GET
    context |= {
        "tab_of": "files",
        "path": path,
        "size": shelf.sizes[path],
        "text": text,
        "is_markdown": is_markdown(path),
        "rendered": render_readme(path, text, base) if is_rendered and text is not None else "",
        "is_cut": shelf.sizes[path] > len(data),
        "shown_bytes": SHOWN,
    }
    return render(request, "package/file.html", context)


@door("GET")
def dependencies(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """What the version needs, by kind; what is held here is a link."""
    context, shown = _begun(actor, ws, reg, format, name, number)
    groups = read_facts(bytes(shown.manifest)).groups
    wanted = {dependency for _group, pairs in groups for dependency, _range in pairs}
    present = reads.present_names(actor, shown.package.registry, format, wanted) if wanted else set()
    context |= {"tab_of": "dependencies", "groups": groups, "present": present}
    return render(request, "package/dependencies.html", context)


@door("GET")
def dependents(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """The packages here that need this one, by name."""
    found = registry_for(actor, ws, reg, Action.READ, Target(format, name))
    here = package_of(found, format, name)
    resolution = decided(here)
    latest = next((tag.version for tag in tags_of(here, resolution) if tag.name == "latest"), "")
    context = {**frame(actor, found, "packages"), **standing(actor, here, resolution)}
    rows = dependents_of(actor, found, here.name if here.format == Format.NPM else "")
    page = Paginator(rows, FILES).get_page(request.GET.get("page"))
    context |= {"tab_of": "dependents", "version": shown_version(here, latest), "page": page}
    return render(request, "package/dependents.html", context)


def _begun(actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> tuple[dict[str, object], Version]:  # noqa: A002
    found = registry_for(actor, ws, reg, Action.READ, Target(format, name))
    here: Package = package_of(found, format, name)
    shown = version_of(here, number)
    shown.package = here
    return {**frame(actor, found, "packages"), **standing(actor, here), "version": shown}, shown


def _text(data: bytes) -> str | None:
    """As text, if it is: no NUL, and UTF-8 up to what was cut in the middle of a letter."""
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        return data[: error.start].decode("utf-8") if error.start >= len(data) - 3 and len(data) >= SHOWN else None
