"""Members and claims of a workspace."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from packages.services.shadows import claim
from web import reads
from web.confirm import Question, ask, is_confirmed
from web.doors import asked, door, sent
from web.errors import status_of
from web.forms import ROLES, ClaimForm, MemberForm
from web.views.workspace import frame
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied, Invalid
from workspaces.models import Workspace
from workspaces.selectors import groups_of, workspace_for
from workspaces.services.people import parse_role, remove_member, set_active, set_member
from workspaces.services.spaces import remove_claim


@door("GET", "POST")
def people(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """Who belongs to the workspace; admins add people and change roles here."""
    if request.method != "POST":
        return _people(request, actor, workspace_for(actor, ws), MemberForm())
    space = workspace_for(actor, ws, Action.MANAGE)
    form = MemberForm(request.POST)
    if not form.is_valid():
        return _people(request, actor, space, form, 400)
    username, role = form.cleaned_data["username"].strip(), form.cleaned_data["role"]
    try:
        set_member(actor=actor, workspace=space, username=username, role=parse_role(role))
    except (Invalid, Conflict, Denied) as error:
        form.refuse(error)
        return _people(request, actor, space, form, status_of(error))
    messages.success(request, _("%(name)s is %(role)s now.") % {"name": username, "role": role})
    return redirect("web:people", ws)


@door("POST")
def remove(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """End a membership, after a confirmation."""
    space = workspace_for(actor, ws, Action.MANAGE)
    username = sent(request, "username")
    if not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Remove %(name)s?") % {"name": username[:64]},
                text=_("They and their tokens lose access to this workspace with the next request."),
                act=_("Remove"),
                back=reverse("web:people", args=[ws]),
            ),
        )
    try:
        remove_member(actor=actor, workspace=space, username=username)
    except (Conflict, Denied) as error:
        return _refused(request, actor, space, username, error)
    messages.success(request, _("%(name)s is no member any more.") % {"name": username})
    return redirect("web:people", ws)


@door("POST")
def active(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """Shut a member out for now, after a confirmation, or let them in again."""
    space = workspace_for(actor, ws, Action.MANAGE)
    username, wanted = sent(request, "username"), sent(request, "active") == "true"
    if not wanted and not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Shut %(name)s out?") % {"name": username[:64]},
                text=_("They and their tokens lose access to this workspace with the next request. Nothing of theirs is deleted."),
                act=_("Shut out"),
                back=reverse("web:people", args=[ws]),
            ),
        )
    try:
        set_active(actor=actor, workspace=space, username=username, active=wanted)
    except (Conflict, Denied) as error:
        return _refused(request, actor, space, username, error)
    messages.success(request, (_("%(name)s is let in again.") if wanted else _("%(name)s is shut out.")) % {"name": username})
    return redirect("web:people", ws)


@door("GET", "POST")
def claims(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The claimed patterns; admins add more here."""
    if request.method != "POST":
        return _claims(request, actor, workspace_for(actor, ws), ClaimForm(initial={"pattern": asked(request, "pattern")[:214]}))
    space = workspace_for(actor, ws, Action.MANAGE)
    form = ClaimForm(request.POST)
    if not form.is_valid():
        return _claims(request, actor, space, form, 400)
    try:
        made = claim(actor=actor, workspace=space, pattern=form.cleaned_data["pattern"])
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _claims(request, actor, space, form, status_of(error))
    messages.success(request, _("%(pattern)s is internal in this workspace from now on.") % {"pattern": made.pattern})
    return redirect("web:claims", ws)


@door("POST")
def unclaim(request: HttpRequest, actor: Actor, ws: str, claim_id: int) -> HttpResponse:
    """Give a claim up, after a confirmation."""
    space = workspace_for(actor, ws, Action.MANAGE)
    if not is_confirmed(request):
        return ask(
            request,
            Question(
                title=_("Give this claim up?"),
                text=_("Names it covers that hold no internal version may then be asked for at public upstreams."),
                act=_("Give up"),
                back=reverse("web:claims", args=[ws]),
            ),
        )
    remove_claim(actor=actor, workspace=space, claim_id=claim_id)
    messages.success(request, _("The claim is gone."))
    return redirect("web:claims", ws)


def _refused(request: HttpRequest, actor: Actor, space: Workspace, username: str, error: Conflict | Denied) -> HttpResponse:
    """The page again, saying why a member stays as they are."""
    form = MemberForm(initial={"username": username})
    form.is_bound, form.data = True, {"username": username, "role": "reader"}
    form.refuse(error)
    return _people(request, actor, space, form, status_of(error))


def _people(request: HttpRequest, actor: Actor, space: Workspace, form: MemberForm, status: int = 200) -> HttpResponse:
    roles = [word for word, _label in ROLES]
    context = {**frame(actor, space, "people"), "members": reads.members_of(space), "form": form, "roles": roles}
    context["groups"] = groups_of(space).prefetch_related("members__member__user")
    return render(request, "workspace/people.html", context, status=status)


def _claims(request: HttpRequest, actor: Actor, space: Workspace, form: ClaimForm, status: int = 200) -> HttpResponse:
    context = {**frame(actor, space, "claims"), "claims": reads.claims_of(space), "form": form}
    return render(request, "workspace/claims.html", context, status=status)
