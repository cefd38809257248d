"""Making an account of one's own: after GitHub's word, or with a password, where SIGNUP lets people."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from tokens.services.identities import Visitor
from tokens.services.sign_up import sign_up, sign_up_with_password, suggested_name, takes_newcomers
from web import newcomers
from web.doors import asked, door, sent
from web.entrance import let_in
from web.errors import status_of
from web.forms import PageForm, SignUpForm, SignUpWithPasswordForm
from web.github_button import leads_to_github
from web.views.github import GITHUB, failed
from web.views.session import safe_next
from workspaces.access import Actor
from workspaces.errors import Conflict, GatehouseError, Invalid, TooManyRequests
from workspaces.models import User


@door("GET", "POST")
@leads_to_github
def signup(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form of somebody's first time: filled in from GitHub, else with a password. Where neither may be: on to sign-in."""
    found = newcomers.kept(request)
    if actor.user_id is not None:
        newcomers.forget(request)
        return redirect("web:home")
    if found is not None:
        return _vouched(request, actor, *found)
    if not takes_newcomers(is_invited=newcomers.is_invited(request)):
        return redirect("web:www-login")
    return _with_password(request, actor, safe_next(sent(request, "next") or asked(request, "next")))


def _vouched(request: HttpRequest, actor: Actor, visitor: Visitor, after: str) -> HttpResponse:
    if request.method != "POST":
        form = SignUpForm(initial={"username": suggested_name(visitor.login), "email": visitor.email})
        return _form(request, form, after, visitor=visitor)
    form = SignUpForm(request.POST)
    if not form.is_valid():
        return _form(request, form, after, 400, visitor)
    name, email, is_invited = form.cleaned_data["username"].strip(), form.cleaned_data["email"].strip(), newcomers.is_invited(request)
    try:
        user = sign_up(visitor=visitor, username=name, email=email, ip=actor.ip, is_invited=is_invited)
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _form(request, form, after, status_of(error), visitor)
    except GatehouseError as error:
        newcomers.forget(request)
        return failed(request, actor, error)
    newcomers.forget(request)
    messages.success(request, _("Welcome. From now on GitHub signs you in."))
    return let_in(request, user, by=GITHUB, after=safe_next(after))


def _with_password(request: HttpRequest, actor: Actor, after: str) -> HttpResponse:
    form = SignUpWithPasswordForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _form(request, form, after, 400 if request.method == "POST" else 200)
    try:
        user = _made(request, actor, form)
    except (Invalid, Conflict, TooManyRequests) as error:
        form.refuse(error)
        answer = _form(request, form, after, status_of(error))
        if isinstance(error, TooManyRequests):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    messages.success(request, _("Welcome."))
    return let_in(request, user, by="password", after=after)


def _made(request: HttpRequest, actor: Actor, form: PageForm) -> User:
    data, is_invited = form.cleaned_data, newcomers.is_invited(request)
    name, email = data["username"].strip(), data["email"].strip()
    return sign_up_with_password(username=name, email=email, password=data["new"], ip=actor.ip, is_invited=is_invited)


def _form(request: HttpRequest, form: PageForm, after: str, status: int = 200, visitor: Visitor | None = None) -> HttpResponse:
    return render(request, "signup.html", {"form": form, "visitor": visitor, "next": after}, status=status)
