"""The application `make run` serves: granian's ASGI over protocols.entry (docs/adr/0002)."""

import os
from collections.abc import Mapping

from config.lifeline import tie_if_supervised

tie_if_supervised()  # before the slow imports: until here a worker just forked would lose a SIGTERM
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402 - after the tie
from django.conf import settings  # noqa: E402 - after the tie
from django.core.handlers.wsgi import WSGIHandler  # noqa: E402 - after the tie
from django.http import HttpResponse  # noqa: E402 - after the tie
from django.urls import get_resolver  # noqa: E402 - after the tie

django.setup()

from api.admit import admit as admit_rest  # noqa: E402 - after the apps are loaded
from protocols.bridge import Bridge  # noqa: E402 - after the apps are loaded
from protocols.entry import Entry  # noqa: E402
from protocols.npm.admit import admit as admit_npm  # noqa: E402
from web.views.upload import admit as admit_page  # noqa: E402


class LeanHandler(WSGIHandler):
    """Django without sessions, messages and CSRF: package clients send their credentials with each request."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 - Django's signature
        """Load LEAN_MIDDLEWARE instead of MIDDLEWARE."""
        full = settings.MIDDLEWARE
        settings.MIDDLEWARE = settings.LEAN_MIDDLEWARE
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = full


def admit_full(method: str, path: str, headers: Mapping[str, str], ip: str) -> HttpResponse | int:
    """What may come to REST and to pages."""
    is_form = method == "POST" and not path.startswith("/api/")
    return admit_page(path, headers, ip) if is_form else admit_rest(method, path, headers, ip)


get_resolver().url_patterns  # noqa: B018 - load every address now: a broken one ends the start, not the first request
application = Entry(lean=Bridge(LeanHandler(), admit_npm), full=Bridge(WSGIHandler(), admit_full))
