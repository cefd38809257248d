"""Errors outside the pages' own: unknown addresses, refused forms, and the last resort."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _

from web.errors import status_page, wants_html

AGAIN = 5  # seconds until the database may answer again


def elsewhere(request: HttpRequest, rest: str) -> HttpResponse:
    """An address no page has. Where only the last slash is missing, the page's own address follows."""
    if request.method in {"GET", "HEAD"} and rest and not rest.endswith("/"):
        try:
            found = resolve(f"/{rest}/")
        except Resolver404:
            raise Http404 from None
        if found.func is not elsewhere and found.view_name.startswith("web:"):
            query = request.META.get("QUERY_STRING", "")
            address = reverse(found.view_name, args=found.args, kwargs=found.kwargs)
            return HttpResponsePermanentRedirect(f"{address}?{query}" if query else address)
    raise Http404


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """400: a host that is not served, a body that cannot be read."""
    return _bare(request, 400, _("That request cannot be understood"), "bad_request")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """403 from Django itself."""
    return status_page(request, 403, _("You may not do this."), "denied")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """403: the form did not come from our own page, or is too old."""
    return status_page(
        request, 403, _("This form has expired or came from elsewhere. Go back, reload the page and try again."), "csrf_failed"
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001
    """404 for people and for machines."""
    return status_page(request, 404, _("There is no page at this address, or you may not know of it."), "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database cannot answer: touches neither it nor the session, since one of them may be the cause."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        answer = _bare(request, 503, _("The database cannot answer now"), "unavailable")
        answer.headers["Retry-After"] = str(AGAIN)
        return answer
    return _bare(request, 500, _("Something went wrong on our side"), "server_error")


def _bare(request: HttpRequest, status: int, title: str, code: str) -> HttpResponse:
    if not wants_html(request):
        return JsonResponse({"error": f"{title}.", "code": code}, status=status)
    return render(request, "bare.html", {"title": title, "status": status}, status=status)
