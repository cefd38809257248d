"""The application `make run` serves: granian's ASGI over protocols.entry (docs/adr/0002)."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.urls import get_resolver

django.setup()

from protocols.bridge import Bridge  # noqa: E402 - after the apps are loaded
from protocols.entry import Entry  # noqa: E402
from protocols.npm.admit import admit  # noqa: E402


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


get_resolver().url_patterns  # noqa: B018 - load every address now: a broken one ends the start, not the first request
application = Entry(lean=Bridge(LeanHandler(), admit), full=Bridge(WSGIHandler()))
