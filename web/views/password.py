"""The form on the account page that changes one's own password, or sets the first one of somebody who came by GitHub."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from tokens.services.account import change_password, set_first_password
from tokens.services.visits import end_other_visits
from web.doors import door, person
from web.entrance import is_fresh, prove
from web.errors import status_of
from web.forms import FirstPasswordForm, PasswordForm
from web.visits import VISIT, note_visit
from workspaces.access import Actor
from workspaces.errors import Conflict, Invalid, TooManyRequests, Unauthenticated
from workspaces.models import User


@door("GET", "POST")
def password(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Current, new, and the new one again; this browser stays signed in, every other session is over."""
    person(actor)
    if isinstance(request.user, User) and not request.user.has_usable_password():
        return _first(request, actor)
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, 400)
    data = form.cleaned_data
    try:
        changed = change_password(actor=actor, old=data["old"], new=data["new"], revoke_tokens=data["revoke_tokens"])
    except (Invalid, Conflict, Unauthenticated, TooManyRequests) as error:
        form.refuse(error)
        # 403 and not 401: this person is signed in, and only the form was not believed.
        answer = _page(request, form, 403 if isinstance(error, Unauthenticated) else status_of(error))
        if isinstance(error, TooManyRequests):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    update_session_auth_hash(request, changed)
    note_visit(request, changed)  # the session has another key now
    end_other_visits(actor=actor, but=request.session.get(VISIT))
    messages.success(request, _("The password is changed. Every other browser of yours is signed out."))
    return redirect("web:account")


def _first(request: HttpRequest, actor: Actor) -> HttpResponse:
    """There is no current password to ask for, so who they are is proved by GitHub, and freshly."""
    if not is_fresh(request):
        return prove(reverse("web:password"))
    form = FirstPasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, 400 if request.method == "POST" else 200)
    try:
        changed = set_first_password(actor=actor, new=form.cleaned_data["new"])
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _page(request, form, status_of(error))
    update_session_auth_hash(request, changed)
    note_visit(request, changed)
    end_other_visits(actor=actor, but=request.session.get(VISIT))
    messages.success(request, _("The password is set: it signs you in as well as GitHub does. Other browsers of yours are signed out."))
    return redirect("web:account")


def _page(request: HttpRequest, form: FirstPasswordForm, status: int = 200) -> HttpResponse:
    is_first = not isinstance(form, PasswordForm)
    return render(request, "account/password.html", {"form": form, "is_first": is_first}, status=status)
