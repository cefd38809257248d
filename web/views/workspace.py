"""A workspace: its registries and its activity."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from registries.selectors import registries_of
from registries.services import create_registry
from web import reads
from web.addresses import client_url
from web.doors import door
from web.errors import status_of
from web.forms import RegistryForm
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid
from workspaces.models import Workspace
from workspaces.selectors import alerts, workspace_for

PAGE = 50


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


@door("GET")
def activity(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The audit log, newest first; for admins."""
    space = workspace_for(actor, ws, Action.MANAGE)
    page = Paginator(reads.events_of(space), PAGE).get_page(request.GET.get("page"))
    return render(request, "workspace/activity.html", {**frame(actor, space, "activity"), "page": page})


def frame(actor: Actor, space: Workspace, tab: str) -> dict[str, object]:
    """What every page of a workspace shows around its content."""
    return {"workspace": space, "tab": tab, "actor": actor, "may_manage": actor.may_in(space.pk, Action.MANAGE)}


def _page(request: HttpRequest, actor: Actor, space: Workspace, form: RegistryForm, status: int = 200) -> HttpResponse:
    rows = [(registry, client_url(registry)) for registry in registries_of(actor, space)]
    context = {**frame(actor, space, "registries"), "rows": rows, "form": form, "alerts": list(alerts(space)[:5])}
    return render(request, "workspace/workspace.html", context, status=status)
