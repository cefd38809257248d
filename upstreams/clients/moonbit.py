"""What Gatehouse asks a MoonBit registry: a module's lines over HTTP, and a zip."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from packages.formats.moonbit.index import FILE_LIMIT
from upstreams.clients.connections import no_check
from upstreams.clients.http import Answer, Target, get, refuse_status
from upstreams.errors import UpstreamBadAnswer

OK, NOT_MODIFIED, ABSENT = 200, 304, frozenset({404, 410})


@dataclass(frozen=True)
class Lines:
    """What an index says of a module: `is_present` False is its absence, `body` None that nothing changed.

    `at`: since when it is known, if not just now.
    """

    is_present: bool
    body: bytes | None = None
    etag: str = ""
    at: datetime | None = None


def fetch_lines(target: Target, url: str, etag: str, *, before_send: Callable[[], None] = no_check) -> Lines:
    """A module's file of an index over HTTP, conditionally. Raises UpstreamError subclasses."""
    headers = {"accept": "text/plain, */*;q=0.5", "accept-encoding": "gzip"}
    answer = get(target, url, {**headers, "if-none-match": etag} if etag else headers, before_send=before_send)
    try:
        if answer.status in ABSENT:
            return Lines(is_present=False)
        if answer.status == NOT_MODIFIED and etag:
            return Lines(is_present=True, etag=etag)
        if answer.status != OK:
            raise refuse_status(answer)
        body = b"".join(answer.pieces(FILE_LIMIT))
        if body.lstrip()[:1] not in {b"", b"{"}:  # a page of a site that says 200 to everything
            raise UpstreamBadAnswer(f"Upstream {target.name} sent no lines of an index.", upstream=target.name)
        return Lines(is_present=True, body=body, etag=answer.headers.get("etag", "")[:500])
    finally:
        answer.close()


def fetch_zip(target: Target, url: str, *, before_send: Callable[[], None] = no_check) -> Answer:
    """Open a zip; credentials go along only to the upstream's own origin. The caller closes it."""
    headers = {"accept": "application/zip, application/octet-stream, */*;q=0.5", "accept-encoding": "identity"}
    answer = get(target, url, headers, before_send=before_send)
    if answer.status == OK:
        return answer
    answer.close()
    if answer.status in ABSENT:
        raise UpstreamBadAnswer(f"Upstream {target.name} lists this version but does not have its zip.", upstream=target.name)
    raise refuse_status(answer)
