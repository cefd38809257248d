"""The activity of a workspace: its audit log, for admins."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from upstreams.selectors import events
from upstreams.selectors.events import KINDS, QUIET, events_of, pulled_events, stretch_of
from web.doors import asked, door
from web.events import lines
from web.views.workspace import frame
from workspaces.access import Action, Actor
from workspaces.selectors import workspace_for

PAGE = 50
ALL = "all"
DIGITS = 19  # of a number that certainly fits 64 bits


@door("GET")
def activity(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The newest first, of the kind that is asked for; without one, all but the versions that installs and mirrors brought in."""
    space = workspace_for(actor, ws, Action.MANAGE)
    labels = _labels()
    kind = asked(request, "kind") if asked(request, "kind") in labels else QUIET
    who, about = asked(request, "who")[:128], asked(request, "q")[:400]
    before = asked(request, "before")
    stretch = stretch_of(space, int(before) if before.isascii() and before.isdigit() and len(before) < DIGITS else 0)
    found = events_of(space, kind="" if kind == ALL else kind, actor=who, object=about, stretch=stretch)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    is_filtered = bool(kind != QUIET or who or about)
    words = [(word, value) for word, value in (("kind", kind), ("who", who), ("q", about)) if value]
    context = {
        **frame(actor, space, "activity"),
        "page": page,
        "lines": lines(space, page),
        "kinds": [(word, label, word == kind) for word, label in labels.items()],
        "who": who,
        "about": about,
        "is_filtered": is_filtered,
        "left_out": 0 if is_filtered else pulled_events(space, stretch),
        "stretch": stretch,
        "looked_at": f"{events.STRETCH:,}",
        "newest": urlencode(words),
        "query": urlencode([*words, *([("before", stretch.before)] if stretch.before else [])]) + "&",
    }
    return render(request, "workspace/activity.html", context)


def _labels() -> dict[str, str]:
    """The kinds in the order of the menu."""
    labels = {
        QUIET: _("All but pulled versions"),
        ALL: _("Everything"),
        "alerts": _("Alerts and trouble"),
        "packages": _("Packages, versions, tags"),
        "pulled": _("Pulled from upstreams"),
        "internal": _("What is internal"),
        "upstreams": _("Upstreams and secrets"),
        "mirrors": _("Mirrors"),
        "webhooks": _("Webhooks"),
        "registries": _("Registries, workspace"),
        "people": _("People, teams, tokens"),
    }
    return {word: labels[word] for word in (QUIET, ALL, *KINDS)}
