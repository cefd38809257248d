"""The versions of a package: all of them, or those that a range and two switches leave."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from packages.models import Format
from packages.selectors import package_of
from registries.gate import registry_for
from upstreams.selectors.moved import moves_of
from web import reads
from web.doors import asked, door
from web.views.package import asks_git, decided, shown_version, standing, tags_of, tags_on
from web.views.registry import frame
from workspaces.access import Action, Actor, Target

PAGE = 50
HIDEABLE = ("prereleases", "deprecated")  # `hide` in the address, any number of times


@door("GET")
def versions(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """The highest first; `range` as npm writes ranges, `hide` what is not to be seen."""
    found = registry_for(actor, ws, reg, Action.READ, Target(format, name))
    here = package_of(found, format, name)
    resolution = decided(here)
    wanted, hidden = asked(request, "range")[:200], [word for word in request.GET.getlist("hide") if word in HIDEABLE]
    rows = reads.versions_in_order(here, wanted=wanted if format == Format.NPM else "", hidden=hidden)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    tags = tags_of(here, resolution)
    context = {**frame(actor, found, "packages"), **standing(actor, here, resolution)}
    query = urlencode([("range", wanted)] * bool(wanted) + [("hide", word) for word in hidden])
    context |= {
        "tab_of": "versions",
        "version": shown_version(here, next((tag.version for tag in tags if tag.name == "latest"), "")),
        "page": page,
        "versions": [(version, tags_on(version, tags)) for version in reads.versions_listed(list(page))],
        "range": wanted,
        "hidden": hidden,
        "is_filtered": bool(query),
        "query": f"{query}&" if query else "",
        "moves": moves_of(found, format, name) if context["may_flag"] and resolution and asks_git(resolution) else [],
    }
    return render(request, "package/versions.html", context)
