"""Every error of REST as `{"error", "code", "fields"?}` (CONTRACT.md section 4): one table, the most specific kind wins."""

import logging
import uuid
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions as rest
from rest_framework.response import Response
from rest_framework.views import set_rollback

from api.authentication import CHALLENGE
from registries.gate import RegistryMoved
from workspaces import errors as kinds

logger = logging.getLogger("gatehouse.api")
LONGEST = 500  # characters of a sentence: some name the value that was sent
MOST_FIELDS = 50


class ChangedMeanwhile(kinds.Conflict):
    """`If-Match` names another state than the present one; nothing was changed."""

    code = "changed_meanwhile"


# Kind of error -> status. Unavailable carries its own (502, 503, 504, 507).
STATUSES: Mapping[type[Exception], int] = {
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
    kinds.Unavailable: 503,
    ChangedMeanwhile: 412,
    kinds.GatehouseError: 500,
}
# What the frameworks raise -> status, code, sentence.
FOREIGN: Mapping[type[Exception], tuple[int, str, str]] = {
    Http404: (404, "not_found", "There is nothing at this address."),
    PermissionDenied: (403, "denied", "You may not do this."),
    RequestDataTooBig: (413, "body_too_large", "The body is larger than this address takes."),
    SuspiciousOperation: (400, "invalid", "The request is not well formed."),
    UnreadablePostError: (400, "invalid", "The body ended before it was complete."),
    IntegrityError: (409, "conflict", "Somebody else changed this at the same moment; look again and retry."),
    DataError: (400, "invalid", "A value is out of the range that can be stored."),
    OperationalError: (503, "unavailable", "The database cannot answer now; try again shortly."),
    InterfaceError: (503, "unavailable", "The database cannot answer now; try again shortly."),
}


class NotYet(kinds.Unsupported):
    """An address of the contract whose work is not there yet."""

    code = "not_implemented"


class AddressUnknown(kinds.NotFound):
    """No such address below /api/."""

    code = "not_found"


def handle(error: Exception, context: Mapping[str, Any]) -> Response:
    """The framework's hook: any exception of a view becomes an answer, never a traceback."""
    set_rollback()
    if isinstance(error, RegistryMoved):
        answer = _moved(error, context)
    elif isinstance(error, kinds.GatehouseError):
        answer = _ours(error)
    elif isinstance(error, rest.APIException):
        answer = _frameworks(error)
    else:
        answer = _foreign(error)
    if answer.status_code >= 500 and answer.status_code != 501:  # noqa: PLR2004 - statuses
        _trace(error, answer, context)
    return answer


def answer_of(status: int, code: str, sentence: str, fields: Mapping[str, str] | None = None) -> Response:
    """One error answer, which repeats little of what was sent; a 401 says how to sign in."""
    body: dict[str, object] = {"error": _short(sentence), "code": code}
    if fields:
        body["fields"] = {_short(name): _short(text) for name, text in islice(fields.items(), MOST_FIELDS)}
    headers = {"WWW-Authenticate": CHALLENGE} if status == 401 else None  # noqa: PLR2004 - status
    return Response(body, status=status, headers=headers)


def status_of(error: kinds.GatehouseError) -> int:
    """The status of an expected error: the most specific kind in the table."""
    if isinstance(error, kinds.Unavailable):
        return error.status
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _ours(error: kinds.GatehouseError) -> Response:
    answer = answer_of(status_of(error), error.code, error.message, error.fields)
    retry_after = getattr(error, "retry_after", None)
    if retry_after is not None:
        answer["Retry-After"] = str(retry_after)
    return answer


def _moved(error: RegistryMoved, context: Mapping[str, Any]) -> Response:
    """308 to the same address below the registry's present slug, with method and body (RFC 9110, section 15.4.9)."""
    answer, path = _ours(error), context["request"].get_full_path()
    above = f"/api/v1/workspaces/{error.registry.workspace.slug}/registries"
    answer["Location"] = f"{above}/{error.registry.slug}{path.removeprefix(f'{above}/{error.former}')}"
    return answer


def _frameworks(error: rest.APIException) -> Response:
    if isinstance(error, rest.ValidationError):
        fields = dict(_flat(error.detail))
        name, sentence = next(iter(fields.items()), ("", "Something in the body cannot be used."))
        return answer_of(400, "invalid", f"{name}: {sentence}" if name else sentence, {key: text for key, text in fields.items() if key})
    answer = answer_of(error.status_code, _code(error), str(error.detail))
    wait = getattr(error, "wait", None)  # of a throttle
    if wait is not None:
        answer["Retry-After"] = str(max(1, round(wait)))
    return answer


def _code(error: rest.APIException) -> str:
    if isinstance(error, rest.PermissionDenied):  # only the session's check for the CSRF token raises it
        return "csrf_failed"
    return str(error.default_code)


def _foreign(error: Exception) -> Response:
    for kind in type(error).__mro__:
        if kind in FOREIGN:
            answer = answer_of(*FOREIGN[kind])
            if answer.status_code == 503:  # noqa: PLR2004 - status
                answer["Retry-After"] = "5"
            return answer
    return answer_of(500, "internal_error", "Something went wrong here; the log has more under the request id.")


def _flat(detail: object, path: str = "") -> Iterator[tuple[str, str]]:
    """A validation error's tree as `field` (or `field.0`) and its first sentence."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _flat(inner, f"{path}.{name}".strip("."))
    elif isinstance(detail, list) and detail:
        yield from _flat(detail[0], path)
    elif not isinstance(detail, list):
        yield path, str(detail)


def _trace(error: Exception, answer: Response, context: Mapping[str, Any]) -> None:
    """Give a 5xx an id that is also in the log; the log alone holds the cause."""
    request = context.get("request")
    request_id = str((request.META if request else {}).get("gatehouse.request_id") or uuid.uuid4().hex)
    answer["X-Request-ID"] = request_id
    answer.data["request_id"] = request_id
    view = type(context.get("view")).__name__
    expected = isinstance(error, kinds.GatehouseError)
    logger.log(
        logging.WARNING if expected else logging.ERROR, "%s in %s: %r", request_id, view, error, exc_info=None if expected else error
    )
