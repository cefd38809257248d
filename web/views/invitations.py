"""Invitations: links that admins hand out, and the page behind such a link."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from tokens.services.sign_up import takes_newcomers
from web import newcomers
from web.addresses import invitation_url
from web.confirm import Question, ask, is_confirmed
from web.doors import door, person
from web.errors import status_of
from web.forms import InvitationForm
from web.views.workspace import frame
from workspaces.access import Action, Actor, Role
from workspaces.errors import Conflict, Denied, Invalid
from workspaces.models import Workspace
from workspaces.selectors import workspace_for
from workspaces.services.invitations import accept_invitation, invitation_of, invite, open_invitations, withdraw_invitation
from workspaces.services.people import parse_role


@door("GET", "POST")
def invitations(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The open ones, and a form for one more; the answer to the form is the one place that shows the link."""
    space = workspace_for(actor, ws, Action.MANAGE)
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _list(request, actor, space, form)
    if not form.is_valid():
        return _list(request, actor, space, form, status=400)
    try:
        made, secret = invite(actor=actor, workspace=space, role=parse_role(form.cleaned_data["role"]), email=form.cleaned_data["email"])
    except (Invalid, Conflict, Denied) as error:
        form.refuse(error)
        return _list(request, actor, space, form, status=status_of(error))
    made_for = {"link": invitation_url(secret), "made": made, "made_role": Role(made.role).word}
    return _list(request, actor, space, InvitationForm(), status=201, **made_for)


@door("POST")
def withdraw(request: HttpRequest, actor: Actor, ws: str, invitation_id: int) -> HttpResponse:
    """End one, after a confirmation."""
    space = workspace_for(actor, ws, Action.MANAGE)
    back = reverse("web:invitations", args=[ws])
    if not is_confirmed(request):
        text = _("Its link stops working at once. Nobody who has joined already is touched.")
        return ask(request, Question(title=_("Withdraw the invitation?"), text=text, act=_("Withdraw"), back=back))
    withdraw_invitation(actor=actor, workspace=space, invitation_id=invitation_id)
    messages.success(request, _("The invitation is withdrawn."))
    return redirect(back)


@door("GET", "POST")
def invitation(request: HttpRequest, actor: Actor, secret: str) -> HttpResponse:
    """What the link leads to: who invites, to what, and the way in for whoever has none yet."""
    if request.method == "POST":
        space = accept_invitation(actor=person(actor), secret=secret)
        messages.success(request, _("Welcome. You belong to %(name)s now.") % {"name": space.name or space.slug})
        return redirect("web:workspace", space.slug)
    found = invitation_of(secret)
    if actor.user_id is None:
        newcomers.invite(request)
    context = {
        "invitation": found,
        "role": Role(found.role).word,
        "actor": actor,
        "is_member": found.workspace_id in actor.roles,
        "may_sign_up": takes_newcomers(is_invited=True),
    }
    return render(request, "account/invitation.html", context)


def _list(  # what the page may show besides
    request: HttpRequest, actor: Actor, space: Workspace, form: InvitationForm, *, status: int = 200, **made: object
) -> HttpResponse:
    rows = [(one, Role(one.role).word) for one in open_invitations(space)]
    context = {**frame(actor, space, "people"), "rows": rows, "form": form, **made}
    return render(request, "workspace/invitations.html", context, status=status)
