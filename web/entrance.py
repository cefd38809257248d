"""The one way into a session: whatever proved who somebody is (password, GitHub), its last step is `let_in`."""

import time
from urllib.parse import quote

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tokens.services.entry import note_entry
from workspaces.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"
PROVED = "proved_at"
FRESH = 600  # seconds


def let_in(request: HttpRequest, user: User, *, by: str, after: str) -> HttpResponse:
    """Open a session for somebody who has proved to be `user` (`by`: password, github), and lead to `after`, a path of ours.

    Raises CredentialsInvalid for a person who has been deactivated.
    """
    note_entry(user=user, by=by, ip=str(request.META.get("REMOTE_ADDR", "")))
    login(request, user, backend=BACKEND)
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
