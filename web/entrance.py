"""The one way into a session: whatever proved who somebody is (password, GitHub), its last step is `let_in`."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from tokens.services.entry import note_entry
from workspaces.models import User

BACKEND = "django.contrib.auth.backends.ModelBackend"


def let_in(request: HttpRequest, user: User, *, by: str, after: str) -> HttpResponse:
    """Open a session for somebody who has proved to be `user` (`by`: password, github), and lead to `after`, a path of ours.

    Raises CredentialsInvalid for a person who has been deactivated.
    """
    note_entry(user=user, by=by, ip=str(request.META.get("REMOTE_ADDR", "")))
    login(request, user, backend=BACKEND)
    return redirect(after)
