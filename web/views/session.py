"""Signing in and out."""

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from tokens.services.authenticate import verified_user
from tokens.services.visits import leave
from web.doors import door, person
from web.entrance import let_in
from web.errors import status_of
from web.forms import SignInForm
from web.github_button import leads_to_github
from web.reads import workspace_cards
from web.visits import VISIT
from workspaces.access import Actor
from workspaces.errors import TooManyRequests, Unauthenticated


@door("GET", "POST")
@leads_to_github
def sign_in(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The sign-in form; a good password opens a session and leads to `next`, if that is a path of ours."""
    return _sign_in(request, actor, settings.LOGIN_REDIRECT_URL)


@door("GET", "POST")
@leads_to_github
def www_sign_in(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The same at Entropic's address, from which people go on to their tokens."""
    return _sign_in(request, actor, reverse("web:www-tokens"))


def _sign_in(request: HttpRequest, actor: Actor, otherwise: str) -> HttpResponse:
    after = safe_next(request.POST.get("next") or request.GET.get("next") or otherwise)
    if request.method != "POST":
        if not actor.is_anonymous:
            return redirect(after)
        return render(request, "login.html", {"form": SignInForm(), "next": after})
    form = SignInForm(request.POST)
    status, wait = 400, 0
    if form.is_valid():
        try:
            user = verified_user(form.cleaned_data["username"].strip(), form.cleaned_data["password"], actor.ip)
        except (Unauthenticated, TooManyRequests) as error:
            form.refuse(error)
            status, wait = status_of(error), getattr(error, "retry_after", 0)
        else:
            return let_in(request, user, by="password", after=after)
    answer = render(request, "login.html", {"form": form, "next": after}, status=status)
    if wait:
        answer.headers["Retry-After"] = str(wait)
    return answer


@door("GET")
def www_tokens(request: HttpRequest, actor: Actor) -> HttpResponse:  # noqa: ARG001 - every page has an actor
    """Entropic's address of one's tokens: they are on a page of each workspace."""
    slugs = [card.slug for card in workspace_cards(person(actor))]
    return redirect("web:tokens", slugs[0]) if len(slugs) == 1 else redirect("web:account")


@door("POST")
def sign_out(request: HttpRequest, actor: Actor) -> HttpResponse:
    """End the session."""
    leave(visit_id=request.session.get(VISIT), user_id=actor.user_id)
    logout(request)
    return redirect("web:login")


def safe_next(address: str) -> str:
    """`address` if it is a path on this very host, else the home page (threats.md A8)."""
    plain = address.startswith("/") and address.isprintable() and not address.startswith(("//", "/\\"))
    if plain and url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return settings.LOGIN_REDIRECT_URL
