"""A workspace: its registries, and what needs a look."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from registries.selectors import registries_of
from registries.services import create_registry
from upstreams.selectors.alerts import alerts_told
from web.addresses import client_url
from web.alerts import cards
from web.doors import door
from web.errors import status_of
from web.forms import RegistryForm
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid
from workspaces.models import Workspace
from workspaces.selectors import alert_groups, workspace_for

SHOWN = 3  # alerts on the workspace's own page


@door("GET", "POST")
def workspace(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The registries of a workspace, what needs a look, and a form for one more registry."""
    if request.method != "POST":
        return _page(request, actor, workspace_for(actor, ws), RegistryForm())
    space = workspace_for(actor, ws, Action.MANAGE)
    form = RegistryForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, space, form, 400)
    try:
        registry = create_registry(actor=actor, workspace=space, **form.cleaned_data)
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _page(request, actor, space, form, status_of(error))
    messages.success(request, _("The registry is there."))
    return redirect("web:registry", ws, registry.slug)


def frame(actor: Actor, space: Workspace, tab: str) -> dict[str, object]:
    """What every page of a workspace shows around its content."""
    return {"workspace": space, "tab": tab, "actor": actor, "may_manage": actor.may_in(space.pk, Action.MANAGE)}


def _page(request: HttpRequest, actor: Actor, space: Workspace, form: RegistryForm, status: int = 200) -> HttpResponse:
    rows = [(registry, client_url(registry)) for registry in registries_of(actor, space)]
    context, open_alerts = frame(actor, space, "registries"), Paginator(alert_groups(space), SHOWN)
    shown = cards(space, alerts_told(space, list(open_alerts.page(1))), may_manage=bool(context["may_manage"]))
    context |= {"rows": rows, "form": form, "cards": shown, "more_alerts": open_alerts.count - len(shown)}
    return render(request, "workspace/workspace.html", context, status=status)
