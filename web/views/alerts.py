"""Alerts of a workspace: what somebody should look at, and who did."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from upstreams.selectors.alerts import alerts_told
from web.alerts import Card, cards
from web.doors import asked, door, sent
from web.views.workspace import frame
from workspaces.access import Action, Actor
from workspaces.errors import NotFound
from workspaces.selectors import alert_groups, workspace_for
from workspaces.services.alerts import acknowledge

PAGE = 25
ACKNOWLEDGED = "acknowledged"


@door("GET", "POST")
def alerts(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """What is open, or (`?state=acknowledged`) what somebody looked at; admins acknowledge."""
    if request.method == "POST":
        return _acknowledge(request, actor, ws)
    space, seen = workspace_for(actor, ws), asked(request, "state") == ACKNOWLEDGED
    page = Paginator(alert_groups(space, acknowledged=seen), PAGE).get_page(request.GET.get("page"))
    context = frame(actor, space, "alerts")
    shown: list[Card] = cards(space, alerts_told(space, list(page), acknowledged=seen), may_manage=bool(context["may_manage"]))
    query = f"state={ACKNOWLEDGED}&" if seen else ""
    return render(request, "workspace/alerts.html", {**context, "page": page, "cards": shown, "seen": seen, "query": query})


def _acknowledge(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    space = workspace_for(actor, ws, Action.MANAGE)
    chosen = [int(word) for word in request.POST.getlist("id") if word.isascii() and word.isdigit() and len(word) < 19]  # noqa: PLR2004 - digits of a 64-bit number
    if not chosen:
        raise NotFound(_("There is no such alert in this workspace."))
    number = acknowledge(actor=actor, workspace=space, alerts_seen=chosen, note=sent(request, "note"))
    said = ngettext("%(n)d alert is acknowledged.", "%(n)d alerts are acknowledged.", number) % {"n": number}
    messages.success(request, f"{said} " + _("It is shown again when something new of its kind happens.") if number == 1 else said)
    return redirect("web:workspace", ws) if sent(request, "from") == "workspace" else redirect("web:alerts", ws)
