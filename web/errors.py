"""The one error table of the pages: from the kind of error to a status, as HTML or JSON."""

from collections.abc import Mapping
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_htmx.http import HttpResponseClientRedirect

from registries.gate import RegistryMoved
from workspaces import errors as kinds

STATUS: Mapping[type[kinds.GatehouseError], int] = {
    kinds.Invalid: 400,
    kinds.Unauthenticated: 401,
    kinds.Denied: 403,
    kinds.NotFound: 404,
    kinds.Moved: 308,
    kinds.Conflict: 409,
    kinds.Gone: 410,
    kinds.TooLarge: 413,
    kinds.TooManyRequests: 429,
    kinds.Unsupported: 501,
    kinds.GatehouseError: 400,
}
TITLES = {
    400: gettext_lazy("That cannot be done"),
    401: gettext_lazy("Please sign in"),
    403: gettext_lazy("You may not do this"),
    404: gettext_lazy("There is nothing here"),
    405: gettext_lazy("Not this way"),
    409: gettext_lazy("That is taken"),
    410: gettext_lazy("This link is over"),
    413: gettext_lazy("Too much"),
    429: gettext_lazy("Too many tries"),
    501: gettext_lazy("Not here yet"),
}


def status_of(error: kinds.GatehouseError) -> int:
    """The status of an error: the most specific kind in the table decides; an outage carries its own."""
    if isinstance(error, kinds.Unavailable):
        return error.status
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def refuse(request: HttpRequest, error: kinds.GatehouseError) -> HttpResponse:
    """The answer to an expected error. Nobody signed in is sent to sign in, and back afterwards."""
    if isinstance(error, kinds.Unauthenticated) and request.method in {"GET", "HEAD"}:
        return to_sign_in(request)
    answer = status_page(request, status_of(error), error.message, error.code)
    if isinstance(error, RegistryMoved):
        above = f"/{error.registry.workspace.slug}/registries"
        path = request.get_full_path().removeprefix(f"{above}/{error.former}")
        answer.headers["Location"] = f"{above}/{error.registry.slug}{path}"
    retry_after = getattr(error, "retry_after", None)
    if retry_after:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """A redirect to the sign-in page that leads back here."""
    address = f"{reverse('web:login')}?next={quote(request.get_full_path(), safe='/')}"
    if getattr(request, "htmx", False):  # a fragment's redirect would land inside the page
        return HttpResponseClientRedirect(address)
    return HttpResponseRedirect(address)


def status_page(request: HttpRequest, status: int, message: str, code: str) -> HttpResponse:
    """An error as a page for people (`Accept` names text/html) or as JSON for everybody else."""
    if not wants_html(request):
        return JsonResponse({"error": message, "code": code}, status=status)
    title = TITLES.get(status, _("Something is in the way"))
    return render(request, "status.html", {"title": title, "message": message, "status": status}, status=status)


def wants_html(request: HttpRequest) -> bool:
    """Whether the caller names text/html; `*/*` does not."""
    return "text/html" in request.headers.get("Accept", "")
