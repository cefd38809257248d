"""What every package-client door shares: who asks, under which base address, validators, and answers that are files."""

import logging
import re
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from packages import blobs
from packages.errors import FileDamaged
from registries.gate import RegistryMoved
from tokens.secrets import masked
from tokens.services.authenticate import actor_for
from upstreams.services.files import OpenedFile
from upstreams.spool import Tail
from workspaces.access import Actor

LOG = logging.getLogger(__name__)
# Questions around a publish are answered from home, so that a new name leaks to nobody (RULE.md, step 2).
# Deprecate and unpublish say `?write=true`; tags, access and the like have routes of their own.
HOME_COMMANDS = frozenset({"publish", "owner", "stage"})
FULL, ABBREVIATED = "full", "abbreviated"
SHORT = "application/vnd.npm.install-v1+json"
CONTENT_TYPES = {FULL: "application/json", ABBREVIATED: SHORT}
FOREVER = "private, immutable, max-age=31536000"
REVALIDATE = "private, no-cache"
VARY = "Authorization, Accept, Accept-Encoding"
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
CODING = re.compile(r"(?:^|,)\s*(?P<coding>gzip|\*)\s*(?:;\s*q=(?P<q>[01](?:\.\d{0,3})?)\s*)?(?=,|$)", re.IGNORECASE)


def actor(request: HttpRequest) -> Actor:
    """Who sent the request. Raises CredentialsInvalid (401 everywhere), LoginThrottled."""
    found = actor_for(request.headers.get("Authorization", ""), client_ip(request))
    request.META["gatehouse.actor"] = found  # for the request log (protocols/observation.py)
    return found


def client_ip(request: HttpRequest) -> str:
    """The caller's address; the entry has already applied TRUSTED_PROXIES."""
    return str(request.META.get("REMOTE_ADDR", ""))


def shown_path(path: str) -> str:
    """A request's path as it may be logged: without the secrets in it, not too long."""
    return masked(path)[:200]


def registry_url(request: HttpRequest, workspace: str, registry: str) -> str:
    """The registry's base URL on the host the client asked, without a trailing slash.

    Raises DisallowedHost (400) for a host that is not served here.
    """
    return base_url(request.scheme or "http", request.get_host(), workspace, registry)


def moved_to(request: HttpRequest, error: RegistryMoved) -> str:
    """Where a registry that was renamed has what was asked for: the path and query with its present slug, no host."""
    workspace = error.registry.workspace.slug
    rest = request.get_full_path().removeprefix(f"/{workspace}/r/{error.former}")
    return f"/{workspace}/r/{error.registry.slug}{rest}"


def base_url(scheme: str, host: str, workspace: str, registry: str) -> str:
    """The same from its parts; the hot path knows documents by it."""
    return f"{scheme}://{host}/{workspace}/r/{registry}"


def form_of(accept: str) -> str:
    """Which form the client asks for: no Accept, or any other, is the full one. Never 406."""
    return ABBREVIATED if SHORT in accept else FULL


def is_home_question(npm_command: str, referer: str) -> bool:
    """Whether npm asks this around a publish (npm 7 and later name the command, npm 6 in `Referer`)."""
    return npm_command in HOME_COMMANDS or referer.partition(" ")[0] in HOME_COMMANDS


@lru_cache(maxsize=512)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether the client accepts gzip (RFC 9110, section 12.5.3); an explicit q=0 refuses it."""
    weights = {found["coding"].lower(): float(found["q"] or 1) for found in CODING.finditer(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def etag_listed(if_none_match: str, etag: str) -> bool:
    """Whether `etag` (without quotes) meets an If-None-Match list, by weak comparison (RFC 9110, section 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return any(item.strip().removeprefix("W/").strip('"') == etag for item in if_none_match.split(","))


def is_unmodified_since(header: str, moment: datetime) -> bool:
    """Whether an If-Modified-Since date is not before `moment`; an unreadable date is ignored."""
    try:
        since = parsedate_to_datetime(header)
    except ValueError:
        return False
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    return moment.replace(microsecond=0) <= since


def http_date(moment: datetime) -> str:
    """An HTTP date in GMT."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


def document_headers(form: str, etag: str, last_modified: datetime, *, gzipped: bool) -> dict[str, str]:
    """Headers of metadata: always asked again, never shared between callers."""
    headers = {
        "Content-Type": CONTENT_TYPES[form],
        "ETag": f'"{etag}"',
        "Last-Modified": http_date(last_modified),
        "Cache-Control": REVALIDATE,
        "Vary": VARY,
        "X-Content-Type-Options": "nosniff",
    }
    return {**headers, "Content-Encoding": "gzip"} if gzipped else headers


def stale_headers() -> dict[str, str]:
    """That metadata stands in for an upstream in trouble (RFC 7234, section 5.5.2). npm 6 reads `Warning` and tells its user."""
    return {"Warning": f'111 gatehouse "Revalidation failed" "{http_date(datetime.now(UTC))}"', "X-Cache": "stale"}


def file_headers(sha256: str) -> dict[str, str]:
    """Headers of a tarball: the bytes never change; never rendered by a browser on this origin."""
    headers = {
        "Content-Type": "application/octet-stream",
        "Cache-Control": FOREVER,
        "Vary": "Authorization",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "sandbox",
        "Accept-Ranges": "bytes",
    }
    return {**headers, "ETag": f'"{sha256}"'} if sha256 else headers


class FileAnswer(HttpResponseBase):
    """A file, or a range of one, as the body; the entry sends it without holding a thread."""

    streaming = True
    is_async = False
    streaming_content: Iterable[bytes] = ()  # Django's test client wraps it; it reads by `getvalue`

    def __init__(self, path: Path, *, start: int, length: int, whole: bool, headers: dict[str, str], status: int) -> None:
        super().__init__(status=status, headers=headers)
        self.path, self.start, self.length, self.whole = path, start, length, whole
        self.headers["Content-Length"] = str(length)

    def __iter__(self) -> "FileAnswer":
        """For servers that are not our entry (Django's test client)."""
        self._file = self.path.open("rb")
        self._file.seek(self.start)
        self._left = self.length
        return self

    def __next__(self) -> bytes:
        piece = self._file.read(min(65536, self._left))
        self._left -= len(piece)
        if not piece:
            self._file.close()
            raise StopIteration
        return piece

    def getvalue(self) -> bytes:
        """The whole body, for tests."""
        return b"".join(self)


class TailAnswer(HttpResponseBase):
    """A file that is still flowing in; the entry follows `tail` on the event loop."""

    streaming = True

    def __init__(self, tail: Tail) -> None:
        super().__init__(status=200, headers=file_headers(""))
        self.tail = tail
        if tail.length is not None:
            self.headers["Content-Length"] = str(tail.length)


def file_answer(request: HttpRequest, opened: OpenedFile | Tail) -> HttpResponseBase:
    """The answer to GET or HEAD of a file: 200, 206, 304 or 416 (RFC 9110, sections 13 and 14; one range at most).

    Raises FileDamaged (503) when the bytes on disk are not as many as were stored.
    """
    if isinstance(opened, Tail):
        return TailAnswer(opened)
    if _size(opened.path) != opened.size:
        blobs.drop_copy(opened.sha256)
        raise damaged(request, opened.sha256)
    headers = file_headers(opened.sha256)
    if etag_listed(request.headers.get("If-None-Match", "") or "-", opened.sha256):
        return HttpResponse(status=304, headers=headers)
    span = _range(request, opened)
    if span is None:
        return FileAnswer(opened.path, start=0, length=opened.size, whole=True, headers=headers, status=200)
    start, end = span
    if start >= end:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{opened.size}"})
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{opened.size}"
    return FileAnswer(opened.path, start=start, length=end - start, whole=False, headers=headers, status=206)


def damaged(request: HttpRequest, what: str) -> FileDamaged:
    """The error for bytes that are lost, told to the log under a number that the caller is given."""
    number = str(request.META.get("gatehouse.request_id") or secrets.token_hex(8))
    LOG.error("request %s: %s is damaged or missing in storage", number, what)
    return FileDamaged(f"This file is damaged or missing in the storage; the log has it under {number}.", retry_after=None)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _range(request: HttpRequest, opened: OpenedFile) -> tuple[int, int] | None:
    """The asked range as [start, end); None for the whole file; start >= end where it cannot be met."""
    found = RANGE.fullmatch(request.headers.get("Range", "").strip())
    guard = request.headers.get("If-Range", "")
    if found is None or (guard and guard.strip() != f'"{opened.sha256}"') or not any(found.groups()):
        return None
    first, last = found.groups()
    if not first:
        return (max(opened.size - int(last), 0), opened.size) if int(last) else (opened.size, opened.size)
    end = min(int(last) + 1, opened.size) if last else opened.size
    return None if last and int(last) < int(first) else (int(first), end)
