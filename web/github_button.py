"""The button that leads to GitHub: whether there is one, and the policy of pages that have it."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")


def is_set_up() -> bool:
    """Whether this installation has GitHub sign-in."""
    return bool(settings.SOCIAL_AUTH_GITHUB_KEY)


def external_page(request: HttpRequest) -> str:
    """'' where GitHub leads back to the host that was asked; else the host that people sign in at."""
    parts = urlsplit(settings.EXTERNAL_HOST)
    here = urlsplit(f"//{request.get_host()}")
    usual = 443 if parts.scheme == "https" else 80
    same = (here.hostname, here.port or usual) == (parts.hostname, parts.port or usual)
    return "" if same else parts.netloc


def leads_to_github(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A page whose form may end at GitHub: browsers hold `form-action` against redirects too, also those of a company's own sign-in."""

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        answer = view(request, *args, **kwargs)
        if is_set_up():
            parts = urlsplit(settings.SOCIAL_AUTH_GITHUB_URL)
            further = ["https:"] if parts.hostname != "github.com" and parts.scheme == "https" else []
            answer._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}", *further]}  # type: ignore[attr-defined]  # noqa: SLF001 - django-csp's own name
        return answer

    return cast("Callable[Concatenate[HttpRequest, P], HttpResponse]", inner)
