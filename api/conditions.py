"""ETags of single objects, and writes that hold only for what the caller has seen (RFC 9110, section 13).

A write with `If-Match` runs in a transaction of its own. What it would have changed is read in it first; was that not
what the caller has seen, everything the write did is taken back (412). The write itself decides first who may, so
nobody learns more by sending an `If-Match`. On PostgreSQL the transaction sees one moment, and a row that somebody else
changed meanwhile ends it.
"""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.db import OperationalError, connection, transaction
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import ChangedMeanwhile
from workspaces.errors import NotFound
from workspaces.statements import is_outermost, is_postgresql

LOST = "40001"  # PostgreSQL: serialization_failure
Method = Callable[..., Response]


def etag_of(data: object) -> str:
    """The strong validator of what is shown."""
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


def names(header: str, etag: str) -> bool:
    """Whether an If-Match or If-None-Match means this one; weak ones are equal where only reading is meant."""
    return header.strip() == "*" or etag in [one.strip() for one in header.split(",")]


def conditional(method: Method) -> Method:
    """The write, only for what the caller has seen where they say what that was."""

    @wraps(method)
    def inner(view: Any, request: Request, *args: object, **parts: object) -> Response:
        wanted = request.headers.get("If-Match")
        if wanted is None or not hasattr(view, "get"):
            return method(view, request, *args, **parts)
        try:
            with transaction.atomic():
                _one_moment()
                seen = _seen(view, request, wanted, parts)
                answer = method(view, request, *args, **parts)
                if not seen:
                    raise ChangedMeanwhile("It is not as you have seen it any more; read it again, then decide.")
                return answer
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != LOST:
                raise
            raise ChangedMeanwhile("Somebody else changed it at this moment; read it again, then decide.") from None

    return inner


def _seen(view: Any, request: Request, wanted: str, parts: dict[str, object]) -> bool:
    """Whether it is as the caller says; what is not there is nobody's."""
    try:
        return names(wanted, etag_of(view.get(request, **parts).data))
    except NotFound:
        return False


def _one_moment() -> None:
    """Nothing that others commit meanwhile is seen. SQLite's writers are alone from the first statement on."""
    if is_postgresql() and is_outermost():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
