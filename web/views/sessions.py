"""Where I am signed in, and signing out elsewhere."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tokens.services.visits import end_other_visits, end_visit, visits_of
from web.doors import door, person
from web.visits import VISIT, agent_words
from workspaces.access import Actor


@door("GET")
def sessions(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Every browser, the latest first."""
    person(actor)
    here = request.session.get(VISIT)
    rows = [(visit, agent_words(visit.agent), visit.pk == here) for visit in visits_of(actor)]
    return render(request, "account/sessions.html", {"rows": rows, "has_others": any(not is_here for _visit, _words, is_here in rows)})


@door("POST")
def end(request: HttpRequest, actor: Actor, visit_id: int) -> HttpResponse:
    """Sign one browser out."""
    end_visit(actor=person(actor), visit_id=visit_id)
    messages.success(request, _("That browser is signed out."))
    return redirect("web:sessions")


@door("POST")
def end_others(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Sign every other browser out."""
    ended = end_other_visits(actor=person(actor), but=request.session.get(VISIT))
    messages.success(request, ngettext("%(n)d browser is signed out.", "%(n)d browsers are signed out.", ended) % {"n": ended})
    return redirect("web:sessions")
