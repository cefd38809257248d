"""A workspace: its registries, and what needs a look."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from packages.usage import Held, held_by
from registries.services import create_registry
from upstreams.selectors.alerts import alerts_told
from upstreams.services.deletion import delete_workspace
from web.alerts import cards
from web.confirm import Question, ask, is_confirmed
from web.doors import door, sent
from web.errors import status_of
from web.forms import NameForm, PageForm, RegistryForm
from web.overview import overview
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid
from workspaces.models import Workspace
from workspaces.selectors import alert_groups, workspace_for
from workspaces.services.seen import unless_changed
from workspaces.services.spaces import rename_workspace

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
    return {
        "workspace": space,
        "tab": tab,
        "actor": actor,
        "may_manage": actor.may_in(space.pk, Action.MANAGE),
        "may_own": actor.may_in(space.pk, Action.OWN),
    }


def _page(request: HttpRequest, actor: Actor, space: Workspace, form: RegistryForm, status: int = 200) -> HttpResponse:
    context, open_alerts = frame(actor, space, "registries"), Paginator(alert_groups(space), SHOWN)
    shown = cards(space, alerts_told(space, list(open_alerts.page(1))), may_manage=bool(context["may_manage"]))
    context |= {"form": form, "cards": shown, "more_alerts": open_alerts.count - len(shown)}
    return render(request, "workspace/workspace.html", {**context, **vars(overview(request, actor, space))}, status=status)


@door("GET", "POST")
def settings(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The workspace's name, and its end; for owners."""
    space = workspace_for(actor, ws, Action.OWN)
    form = NameForm(request.POST if request.method == "POST" else None, initial={"name": space.name}).about({"name": space.name})
    if request.method != "POST" or not form.is_valid():
        return _settings(request, actor, space, form, 400 if form.errors else 200)
    try:
        unless_changed(
            space.pk,
            sent(request, "seen"),
            lambda: {"name": Workspace.objects.get(pk=space.pk).name},
            lambda: rename_workspace(actor=actor, workspace=space, name=form.cleaned_data["name"]),
        )
    except Conflict as error:
        form.refuse(error)
        return _settings(request, actor, space, form, status_of(error))
    messages.success(request, _("The name is saved."))
    return redirect("web:workspace-settings", ws)


def _settings(request: HttpRequest, actor: Actor, space: Workspace, form: PageForm, status: int) -> HttpResponse:
    return render(request, "workspace/settings.html", {**frame(actor, space, "settings"), "form": form}, status=status)


@door("POST")
def delete(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """Delete the workspace with everything in it; the person types its address."""
    space = workspace_for(actor, ws, Action.OWN)
    if not is_confirmed(request, typed=ws):
        held = held_by([space.pk]).get(space.pk, Held())
        text = _("%(registries)s registries with %(packages)s packages go with it, for good, and its people, tokens and log.")
        question = Question(
            title=_("Delete the workspace %(name)s?") % {"name": ws},
            text=text % {"registries": space.registries.count(), "packages": held.packages},
            act=_("Delete for good"),
            back=reverse("web:workspace-settings", args=[ws]),
            typed=ws,
        )
        return ask(request, question)
    delete_workspace(actor=actor, workspace=space)
    messages.success(request, _("The workspace %(name)s is deleted.") % {"name": ws})
    return redirect("web:home")
