"""The second factor: setting it up, its recovery codes, turning it off, and the page that asks for a code at sign-in."""

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from tokens.services.second_factor import (
    PURPOSE,
    address_of,
    check_code,
    codes_left,
    has_second_factor,
    new_key,
    renew_codes,
    turn_off,
    turn_on,
)
from web.account_forms import CodeForm
from web.doors import door, person
from web.entrance import enter, forget_waiting, is_fresh, prove, waiting
from web.errors import status_of
from workspaces.access import Actor
from workspaces.errors import Conflict, Invalid, TooManyRequests
from workspaces.models import User
from workspaces.seal import SealBroken, seal, unseal

KEY = "new_factor"


@door("GET", "POST")
def second_factor(request: HttpRequest, actor: Actor) -> HttpResponse:
    """On: how many recovery codes are left. Off: a key for the authenticator, and the form for its first code."""
    person(actor)
    if has_second_factor(actor.user_id):
        return _on(request, actor, CodeForm())
    if not is_fresh(request):
        return prove(reverse("web:second-factor"))
    form = CodeForm(request.POST if request.method == "POST" else None)
    key = _key(request)
    if request.method != "POST" or not form.is_valid():
        return _off(request, actor, form, key, 400 if request.method == "POST" else 200)
    try:
        codes = turn_on(actor=actor, key=key, code=form.cleaned_data["code"])
    except (Invalid, Conflict) as error:
        form.refuse(error)
        return _off(request, actor, form, key, status_of(error))
    request.session.pop(KEY, None)
    return render(request, "account/recovery_codes.html", {"codes": "\n".join(codes), "is_first": True}, status=201)


@door("POST")
def codes(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Ten recovery codes in place of those that are left."""
    person(actor)
    if not is_fresh(request):
        return prove(reverse("web:second-factor"))
    return render(request, "account/recovery_codes.html", {"codes": "\n".join(renew_codes(actor=actor)), "is_first": False}, status=201)


@door("POST")
def off(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Turn it off, with a code: whoever finds a browser open has none."""
    person(actor)
    form = CodeForm(request.POST)
    if not form.is_valid() or not isinstance(request.user, User):
        return _on(request, actor, form, 400)
    try:
        check_code(user=request.user, code=form.cleaned_data["code"], ip=actor.ip)
        turn_off(actor=actor)
    except (Invalid, Conflict, TooManyRequests) as error:
        form.refuse(error)
        return _on(request, actor, form, status_of(error))
    messages.success(request, _("The second factor is off: your password, or GitHub, is enough again."))
    return redirect("web:account")


@door("GET", "POST")
def code(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The second step of signing in."""
    found = waiting(request)
    if found is None:
        return redirect("web:login")
    user, by, after = found
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "login_code.html", {"form": form}, status=400 if request.method == "POST" else 200)
    try:
        was_recovery = check_code(user=user, code=form.cleaned_data["code"], ip=actor.ip)
    except (Invalid, Conflict, TooManyRequests) as error:
        form.refuse(error)
        answer = render(request, "login_code.html", {"form": form}, status=status_of(error))
        if isinstance(error, TooManyRequests):
            answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    forget_waiting(request)
    answer = enter(request, user, by=f"{by} and code", after=after)
    if was_recovery:
        messages.warning(request, _("A recovery code is used up; %(n)d are left.") % {"n": codes_left(user.pk)})
    return answer


def _key(request: HttpRequest) -> str:
    """The key on offer: the same until it is taken, so that a wrong code does not mean scanning anew. Sealed: sessions are rows."""
    try:
        return unseal(str(request.session[KEY]).encode("ascii"), PURPOSE)
    except (KeyError, SealBroken):
        key = new_key()
        request.session[KEY] = seal(key, PURPOSE).decode("ascii")
        return key


def _off(request: HttpRequest, actor: Actor, form: CodeForm, key: str, status: int = 200) -> HttpResponse:
    picture = segno.make(address_of(key, actor.name), micro=False).svg_data_uri(scale=4, border=4, dark="#000", light="#fff")
    shown = " ".join(key[place : place + 4] for place in range(0, len(key), 4))
    return render(request, "account/second_factor_new.html", {"form": form, "key": shown, "picture": picture}, status=status)


def _on(request: HttpRequest, actor: Actor, form: CodeForm, status: int = 200) -> HttpResponse:
    left = codes_left(actor.user_id) if actor.user_id is not None else 0
    return render(request, "account/second_factor.html", {"form": form, "left": left}, status=status)
