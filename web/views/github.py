"""Signing in with GitHub, linking and unlinking it (Entropic's addresses, CONTRACT.md section 3)."""

from urllib.parse import quote

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from tokens import throttle
from tokens.services.identities import Visitor, identity_of, link, recognised
from tokens.services.identities import unlink as unlink_identity
from tokens.services.sign_up import check_sign_up
from web import newcomers
from web.confirm import Question, ask, is_confirmed
from web.doors import door, person
from web.entrance import is_fresh, let_in, note_proof, prove
from web.github_button import external_page, is_set_up, leads_to_github
from web.views.session import safe_next
from workspaces.access import Actor
from workspaces.errors import Conflict, GatehouseError, NotFound
from workspaces.models import User

GITHUB = "github"
AFTER = "github_after"  # where the person wanted to go who pressed the button last


@door("POST")
@leads_to_github
def begin(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Off to GitHub: to sign in, or, for somebody who is signed in, to link the account."""
    _check_set_up()
    after = safe_next(request.POST.get("next", ""))
    if external_page(request):  # GitHub leads back there, where this session is unknown
        return redirect(f"{settings.EXTERNAL_HOST}{reverse('web:login')}?next={quote(after)}")
    if isinstance(request.user, User) and identity_of(request.user, GITHUB) is None and not is_fresh(request):
        return prove(reverse("web:account"))  # a way in for good: not for whoever finds a browser open
    from web.github import Errand
    from web.github import begin as begin_at_github

    throttle.count_login(actor.ip)
    request.session[AFTER] = after
    return begin_at_github(request, Errand(after, actor.user_id))


@door("GET")
@leads_to_github
def callback(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Back from GitHub: in, on to the sign-up form, linked, or a page that says what went wrong and what to do."""
    _check_set_up()
    from social_core.exceptions import SocialAuthBaseException

    try:
        return _arrived(request, actor)
    except (SocialAuthBaseException, GatehouseError) as error:
        return failed(request, actor, error)


def _arrived(request: HttpRequest, actor: Actor) -> HttpResponse:
    from social_core.exceptions import AuthSessionError

    from web.github import complete, with_email

    visitor, errand, backend = complete(request)
    if errand.link_to is not None:
        if errand.link_to != actor.user_id:
            raise AuthSessionError(backend, code="user_mismatch", stage="callback")
        return _linked(request, actor, visitor, errand.after)
    user = recognised(visitor)
    if user is not None:
        return let_in(request, user, by=GITHUB, after=safe_next(errand.after))
    if actor.user_id is not None:
        raise Conflict(_("You are signed in already, and this GitHub account is nobody's here yet. Link it on the account page."))
    check_sign_up(is_invited=newcomers.is_invited(request))
    newcomers.keep(request, with_email(backend, visitor), errand.after)
    return redirect("web:signup")


def _linked(request: HttpRequest, actor: Actor, visitor: Visitor, after: str) -> HttpResponse:
    """Linked, or linked already: then it was proved once more who this is, and the person goes on to what asked for that."""
    if not link(actor=actor, visitor=visitor):
        note_proof(request)
        return redirect(safe_next(after))
    messages.success(request, _("GitHub is linked: from now on it opens this account."))
    return redirect("web:account")


@door("POST")
def unlink(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Take GitHub away as a way in, after a yes."""
    person(actor)
    if not is_confirmed(request):
        title, act = _("Unlink GitHub?"), _("Unlink")
        text = _("From then on only your password signs you in. Browsers that are signed in stay so.")
        return ask(request, Question(title=title, text=text, act=act, back=reverse("web:account")))
    unlink_identity(actor=actor, provider=GITHUB)
    messages.success(request, _("GitHub is unlinked."))
    return redirect("web:account")


def _check_set_up() -> None:
    if not is_set_up():
        raise NotFound(_("GitHub sign-in is not set up here; sign in with your password."))


def failed(request: HttpRequest, actor: Actor, error: Exception) -> HttpResponse:
    """The page for it; a signed-in person was about to link."""
    from web.provider_troubles import explained

    trouble, after = explained(error), safe_next(str(request.session.get(AFTER, "")))
    answer = render(request, "github_failed.html", {"trouble": trouble, "actor": actor, "next": after}, status=trouble.status)
    if trouble.retry_after:
        answer.headers["Retry-After"] = str(trouble.retry_after)
    return answer
