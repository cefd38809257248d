"""Which browsers are signed in: noted at sign-in, and now and then while somebody is there."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from tokens.services.visits import note
from workspaces.models import User

VISIT, SEEN = "visit", "seen"
NOTED_EVERY = 300  # seconds
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


class VisitMiddleware:
    """Behind Django's authentication: notes who is there with which browser, every five minutes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look, and go on."""
        is_due = settings.SESSION_COOKIE_NAME in request.COOKIES and time.time() - request.session.get(SEEN, 0) > NOTED_EVERY
        if is_due and isinstance(request.user, User):
            note_visit(request, request.user)
        return self.get_response(request)


def note_visit(request: HttpRequest, user: User) -> None:
    """This browser is signed in as that person, under the session's present key."""
    agent = "".join(char if char.isprintable() else " " for char in request.headers.get("User-Agent", ""))
    ip, key = str(request.META.get("REMOTE_ADDR", "")), str(request.session.session_key)
    request.session[VISIT] = note(visit_id=request.session.get(VISIT), user_id=user.pk, agent=agent, ip=ip, session_key=key)
    request.session[SEEN] = int(time.time())


def agent_words(agent: str) -> str:
    """A browser and its system, as people call them; the beginning of what it says of itself where neither is known."""
    found = [next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS)]
    return " · ".join(word for word in found if word) or agent[:60] or _("unknown")
