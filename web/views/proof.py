"""Proving once more who one is, before an act that gives a way in for good (threats.md A6): the password, or GitHub's word."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from tokens.errors import CredentialsInvalid
from tokens.services.authenticate import verified_user
from web.doors import asked, door, person, sent
from web.entrance import note_proof
from web.errors import status_of
from web.forms import ProofForm
from web.github_button import leads_to_github
from web.views.session import safe_next
from workspaces.access import Actor
from workspaces.errors import TooManyRequests, Unauthenticated
from workspaces.models import User


@door("GET", "POST")
@leads_to_github
def proof(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ask, or take the answer and go on to `next`."""
    person(actor)
    after = safe_next(sent(request, "next") or asked(request, "next") or reverse("web:account"))
    user = request.user
    form = ProofForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid() or not isinstance(user, User):
        return _page(request, form, after, 400 if request.method == "POST" else 200)
    try:
        if not user.has_usable_password():
            raise CredentialsInvalid("Your account has no password; GitHub tells that it is you.")
        verified_user(actor.name, form.cleaned_data["password"], actor.ip)
    except (Unauthenticated, TooManyRequests) as error:
        form.refuse(error)
        # 403 and not 401: this person is signed in, and only the form was not believed.
        answer = _page(request, form, after, 403 if isinstance(error, Unauthenticated) else status_of(error))
        if isinstance(error, TooManyRequests):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    note_proof(request)
    return redirect(after)


def _page(request: HttpRequest, form: ProofForm, after: str, status: int = 200) -> HttpResponse:
    return render(request, "account/proof.html", {"form": form, "next": after}, status=status)
