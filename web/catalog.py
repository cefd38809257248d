"""The list of a registry's packages as the page shows it: what was asked, one page of it, and the links to the others."""

from typing import Any

from django.http import HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from packages.catalog import Narrowing, formats_of, packages_of
from packages.models import Format
from registries.models import Registry
from upstreams.selectors.catalog import OWN, from_source, sources_of
from web.doors import asked
from workspaces.access import Actor
from workspaces.paging import Pages, UpTo

PAGE = 50
KINDS = {"internal": True, "other": False}
ORDERS = {"": ("name", "pk"), "updated": ("-updated_at", "pk")}
ASKED = ("q", "kind", "format", "source", "sort")


def listing(request: HttpRequest, actor: Actor, registry: Registry, *, is_member: bool) -> dict[str, Any]:
    """The page of packages that the query asks for, with its form's choices. What is not known of the query counts as not asked."""
    wanted = {name: asked(request, name)[:214] for name in ASKED}
    sources = sources_of(registry) if is_member else []
    if not sources or wanted["source"] not in {OWN, *sources}:
        wanted["source"] = ""
    kinds = Narrowing(format=wanted["format"], search=wanted["q"], internal=KINDS.get(wanted["kind"]))
    rows = from_source(packages_of(registry, actor=actor, wanted=kinds), actor, registry, wanted["source"])
    rows = rows.order_by(*ORDERS.get(wanted["sort"], ORDERS[""]))
    filters = {name: value for name, value in wanted.items() if value}
    is_filtered = bool(filters.keys() - {"sort"})
    paginator = UpTo(rows, PAGE) if is_filtered else Pages(rows, PAGE)
    return {
        "page": paginator.get_page(request.GET.get("page")),
        "search": wanted["q"],
        "wanted": wanted,
        "query": urlencode(filters),
        "is_filtered": is_filtered,
        "choices": _choices(wanted, sources, formats_of(registry)),
    }


def _choices(wanted: dict[str, str], sources: list[str], formats: list[str]) -> list[tuple[str, str, list[tuple[str, str, bool]]]]:
    """The selects of the form: (name, label, [(value, words, is chosen)]); those with nothing to choose are left out."""
    offered = (
        ("kind", _("Which packages"), [("", _("All")), ("internal", _("Internal")), ("other", _("Not internal"))]),
        ("format", _("Format"), [("", _("All formats")), *((one, Format(one).label) for one in formats)]),
        ("source", _("Source"), [("", _("All sources")), (OWN, _("Made here")), *((name, _("From %s") % name) for name in sources)]),
        ("sort", _("Order"), [("", _("By name")), ("updated", _("Newest change first"))]),
    )
    found = [(name, label, [(value, words, value == wanted[name]) for value, words in options]) for name, label, options in offered]
    idle = {"source": not sources, "format": len(formats) < 2 and not wanted["format"]}  # noqa: PLR2004 - nothing to choose between
    return [one for one in found if not idle.get(one[0])]
