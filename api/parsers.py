"""Bodies: JSON that any database can hold, and multipart uploads. Both bounded before they are read."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, JSONParser, MultiPartParser

from packages.errors import BodyTooLarge
from workspaces.room import release_connection


class StrictJson(JSONParser):
    """A JSON body of at most SMALL_BODY_LIMIT bytes; NaN, bad UTF-8, lone surrogates and endless nesting are parse errors."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002 - the framework's signature
        """The value sent. Raises ParseError (400), BodyTooLarge (413)."""
        return _strict(stream, settings.SMALL_BODY_LIMIT)


class LockJson(BaseParser):
    """The same with the text of a lock file in it. No kind of JSONParser, whose body the framework reads whole, and a small one only."""

    media_type = "application/json"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:  # noqa: ARG002 - the framework's signature
        """The value sent. Raises ParseError (400), BodyTooLarge (413)."""
        return _strict(stream, settings.LOCK_BODY_LIMIT)


class Upload(MultiPartParser):
    """multipart/form-data; the framework writes files to disk while it reads."""

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Fields and files. Raises ParseError (400)."""
        release_connection()  # others need it while all that is read
        return super().parse(stream, media_type, parser_context)


def _strict(stream: IO[Any], limit: int) -> Any:
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"A body here may have at most {limit:,} bytes.")
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        # Only the decoder's own words are told: others quote bytes of the body.
        told = f": {error}" if isinstance(error, json.JSONDecodeError) else ""
        raise ParseError(f"The body is not JSON{told}.") from None
    return value


def _refuse(word: str) -> None:
    raise ValueError(word)
