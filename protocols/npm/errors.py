"""The npm door's one table of errors, and how each is said so that clients show it (reference/npm.md, 1.3).

`error` is what npm, yarn and bun print; `message` what pnpm 12 prints: both hold the same sentence.
A 401 carries no WWW-Authenticate: seeing one, npm 6 and bun print its value and npm 9 to 12 a guess about a bad token,
each in place of our sentence (tests/clients/test_refusals.py).
"""

import logging
import uuid
from collections.abc import Mapping

import orjson
from django.http import HttpRequest, HttpResponse

from packages.formats.errors import ContentInvalid, EncodingUnknown
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
    ContentInvalid: 422,
    EncodingUnknown: 415,
    Unauthenticated: 401,
    Denied: 403,
    NotFound: 404,
    Moved: 308,
    Conflict: 409,
    Gone: 410,
    TooLarge: 413,
    TooManyRequests: 429,
    Unsupported: 422,  # not 501: npm sends a PUT again that a 5xx answered
}


class WrongPassword(Unauthenticated):
    """A password that is wrong."""

    code = "credentials_invalid"


def status_of(error: GatehouseError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, Unavailable):
        return error.status
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def answer(error: GatehouseError) -> HttpResponse:
    """An expected error as npm's clients read it."""
    response = sentence(status_of(error), error.message, error.code, error.fields)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def unexpected(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours: the traceback goes to the log, its number to the caller."""
    number = uuid.uuid4().hex
    LOG.error("request %s failed: %s %s", number, request.method, shown_path(request.path), exc_info=error)
    return json_response({"error": "internal error", "message": "internal error", "request_id": number}, 500)


def sentence(status: int, text: str, code: str, fields: Mapping[str, str] | None = None) -> HttpResponse:
    """An error with a sentence for a person, a word for a program, and the fields that are wrong, if any."""
    named = {"fields": dict(fields)} if fields else {}
    return json_response({"error": text, "message": text, "code": code, **named}, status)


def json_response(data: object, status: int = 200) -> HttpResponse:
    """JSON that no cache keeps."""
    headers = {"Cache-Control": "no-store"}
    return HttpResponse(orjson.dumps(data), status=status, content_type="application/json", headers=headers)
