"""The one way into a session: whatever proved who somebody is (password, GitHub), its last step is `let_in`."""

import time
from urllib.parse import quote

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from tokens.services.entry import note_entry
from tokens.services.second_factor import has_second_factor
from web.visits import note_visit
from workspaces.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
PROVED, WAITING = "proved_at", "half_way_in"
FRESH = 600  # seconds


def let_in(request: HttpRequest, user: User, *, by: str, after: str) -> HttpResponse:
    """Open a session for somebody who has proved to be `user` (`by`: password, github), and lead to `after`, a path of ours.

    Who has a second factor is asked for a code first. Raises CredentialsInvalid for a person who has been deactivated.
    """
    if not has_second_factor(user.pk):
        return enter(request, user, by=by, after=after)
    request.session.cycle_key()
    held = {"user": user.pk, "by": by, "after": after, "until": time.time() + FRESH, "hash": user.get_session_auth_hash()}
    request.session[WAITING] = held
    return redirect("web:login-code")


def waiting(request: HttpRequest) -> tuple[User, str, str] | None:
    """Who is half-way in, by what, and where they wanted to go; None where nobody is, or the password was changed since."""
    held = request.session.get(WAITING)
    if not isinstance(held, dict) or held["until"] < time.time():
        return None
    user = User.objects.filter(pk=held["user"], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), held["hash"]):
        return None
    return user, str(held["by"]), str(held["after"])


def forget_waiting(request: HttpRequest) -> None:
    """They are in, or start again."""
    request.session.pop(WAITING, None)


def enter(request: HttpRequest, user: User, *, by: str, after: str) -> HttpResponse:
    """The last step, for somebody of whom nothing more is asked. Raises CredentialsInvalid."""
    note_entry(user=user, by=by, ip=str(request.META.get("REMOTE_ADDR", "")))
    login(request, user, backend=BACKEND)
    note_visit(request, user)
    note_proof(request)
    return redirect(after)


def note_proof(request: HttpRequest) -> None:
    """The person of this session has just proved who they are."""
    request.session[PROVED] = int(time.time())


def is_fresh(request: HttpRequest) -> bool:
    """Whether that was within the last ten minutes: what gives somebody else a way in for good asks for it."""
    proved = request.session.get(PROVED)
    return isinstance(proved, int) and 0 <= time.time() - proved <= FRESH


def prove(after: str) -> HttpResponse:
    """To the page that asks for the password, or GitHub, once more, and then leads to `after`."""
    return redirect(f"{reverse('web:proof')}?next={quote(after)}")
