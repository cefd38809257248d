"""Secrets of a workspace: their names and who uses them; a value is written here and never shown."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from upstreams.services.secrets import remove_secret, replace_secret, users_of
from web.confirm import Question, ask, is_confirmed
from web.doors import door
from web.errors import status_of
from web.forms import PageForm, SecretForm, SecretValueForm
from web.views.workspace import frame
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Invalid
from workspaces.models import Secret, Workspace
from workspaces.selectors import workspace_for
from workspaces.services.secrets import add_secret, secret_of, secrets_of


@door("GET", "POST")
def secrets(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The names; admins add one here."""
    space = workspace_for(actor, ws, Action.MANAGE)
    form = SecretForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _list(request, actor, space, form)
    if not form.is_valid():
        return _list(request, actor, space, form, 400)
    name, value = form.cleaned_data["name"].strip(), form.cleaned_data["value"]
    try:
        add_secret(actor=actor, workspace=space, name=name, value=value)
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _list(request, actor, space, form, status_of(error))
    messages.success(request, _("%(name)s is stored. Upstreams name it as ${%(name)s}.") % {"name": name})
    return redirect("web:secrets", ws)


@door("GET", "POST")
def secret(request: HttpRequest, actor: Actor, ws: str, name: str) -> HttpResponse:
    """Give one another value."""
    space = workspace_for(actor, ws, Action.MANAGE)
    found = secret_of(space, name)
    form = SecretValueForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _one(request, actor, found, form)
    if not form.is_valid():
        return _one(request, actor, found, form, 400)
    try:
        replace_secret(actor=actor, secret=found, value=form.cleaned_data["value"])
    except Invalid as error:
        form.refuse(error)
        return _one(request, actor, found, form, status_of(error))
    messages.success(request, _("%(name)s has another value, which holds from now on.") % {"name": name})
    return redirect("web:secrets", ws)


@door("POST")
def remove(request: HttpRequest, actor: Actor, ws: str, name: str) -> HttpResponse:
    """Remove one that no upstream names, after a confirmation."""
    space = workspace_for(actor, ws, Action.MANAGE)
    found = secret_of(space, name)
    if not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Remove the secret %(name)s?") % {"name": name},
                text=_("Its value is forgotten; nobody can bring it back."),
                act=_("Remove"),
                back=reverse("web:secrets", args=[ws]),
            ),
        )
    try:
        remove_secret(actor=actor, secret=found)
    except Conflict as error:
        messages.error(request, error.message)
        return _list(request, actor, space, SecretForm(), status_of(error))
    messages.success(request, _("The secret is removed."))
    return redirect("web:secrets", ws)


def _list(request: HttpRequest, actor: Actor, space: Workspace, form: PageForm, status: int = 200) -> HttpResponse:
    users = users_of(space)
    rows = [(found, users.get(found.name, [])) for found in secrets_of(space)]
    context = {**frame(actor, space, "secrets"), "rows": rows, "form": form}
    return render(request, "workspace/secrets.html", context, status=status)


def _one(request: HttpRequest, actor: Actor, found: Secret, form: PageForm, status: int = 200) -> HttpResponse:
    users = users_of(found.workspace).get(found.name, [])
    context = {**frame(actor, found.workspace, "secrets"), "secret": found, "users": users, "form": form}
    return render(request, "workspace/secret.html", context, status=status)
