"""`npm-notice`: a sentence npm, bun and pnpm show beside an answer that is otherwise in order (reference/npm.md, 1.3)."""

from collections.abc import Sequence

from django.http import HttpResponse

LENGTH = 900  # characters: a header is no place for a page


def noticed(response: HttpResponse, notices: Sequence[str]) -> HttpResponse:
    """The response with its notices in one header; only printable ASCII reaches a terminal."""
    if notices:
        plain = " ".join(dict.fromkeys(notices)).translate({0x201C: '"', 0x201D: '"', 0x2026: "..."})
        response.headers["npm-notice"] = "".join(char if " " <= char <= "~" else "?" for char in plain)[:LENGTH]
    return response
