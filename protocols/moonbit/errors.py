"""The MoonBit door's one table of errors; git and moon print the text as it stands, so it is plain."""

import logging
import uuid
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse

from protocols.wire import shown_path
from workspaces.errors import (
    Conflict,
    Denied,
    GatehouseError,
    Gone,
    Invalid,
    Moved,
    NotFound,
    TooLarge,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
    Unsupported,
)

LOG = logging.getLogger(__name__)
# The most specific class wins, so a new error is never a 500 by forgetting.
STATUSES: Mapping[type[GatehouseError], int] = {
    GatehouseError: 400,
    Invalid: 400,
    Unauthenticated: 401,
    Denied: 403,
    NotFound: 404,
    Moved: 308,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    TooManyRequests: 429,
    Unsupported: 422,
}


def answer(error: GatehouseError) -> HttpResponse:
    """An expected error in a line of text; who is not signed in is asked to, as git needs it (RFC 7617)."""
    status = error.status if isinstance(error, Unavailable) else next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    response = sentence(status, error.message)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Basic realm="Gatehouse", charset="UTF-8"'
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: the traceback goes to the log, its number to the caller."""
    number = uuid.uuid4().hex
    LOG.error("request %s failed: %s %s", number, request.method, shown_path(request.path), exc_info=error)
    return sentence(500, f"Internal error; the log has it under {number}.")


def sentence(status: int, text: str) -> HttpResponse:
    """A sentence that no cache keeps."""
    headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)
