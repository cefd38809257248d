"""The index as a Git repository, by Git's smart HTTP, and module by module; nobody writes here."""

import gzip
import hashlib
import zlib
from io import BytesIO
from typing import IO

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

from packages.errors import BodyTooLarge
from protocols import wire
from protocols.moonbit.door import visit_index, visit_module
from upstreams.services.modules.lines import module_lines
from upstreams.services.modules.served import served_index
from upstreams.services.modules.standing import absent
from upstreams.services.modules.uploads import NoGit, advertisement, answer_to, protocol_of
from workspaces.errors import Denied

FETCHING, REQUEST = "git-upload-pack", "application/x-git-upload-pack-request"
GIT_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def read_refs(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """Where the index stands. Raises Denied for whoever wants to push, or speaks the old protocol of plain files."""
    here = visit_index(request, ws, reg)
    if request.GET.get("service") != FETCHING:
        raise Denied("The index is read by Git's smart protocol and changed by nobody: clone it with git.")
    body = advertisement(served_index(here.registry), protocol_of(request.headers.get("Git-Protocol", "")))
    return HttpResponse(body, content_type=f"application/x-{FETCHING}-advertisement", headers=GIT_HEADERS)


def read_pack(request: HttpRequest, ws: str, reg: str) -> HttpResponseBase:
    """What a client has not got yet, as git sends it."""
    here = visit_index(request, ws, reg)
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != REQUEST:
        raise NoGit("This is no request that git sends.")
    body = _body(request)
    pieces = answer_to(served_index(here.registry), protocol_of(request.headers.get("Git-Protocol", "")), body)
    return StreamingHttpResponse(pieces, content_type=f"application/x-{FETCHING}-result", headers=GIT_HEADERS)


def refuse_push(request: HttpRequest, ws: str, reg: str) -> HttpResponse:
    """403, for those who may know of the registry."""
    visit_index(request, ws, reg)
    raise Denied("The index is made by Gatehouse of what the registry holds; nobody pushes to it.")


def read_lines(request: HttpRequest, ws: str, reg: str, mod: str) -> HttpResponse:
    """One module's file of the index, for clients that read an index over HTTP."""
    here, name = visit_module(request, ws, reg, mod)
    lines = module_lines(here.registry, name)
    if lines is None:
        raise absent(here.registry, name)
    etag = hashlib.sha256(lines).hexdigest()[:40]
    headers = {"ETag": f'"{etag}"', "Cache-Control": wire.REVALIDATE, "Vary": "Authorization", "X-Content-Type-Options": "nosniff"}
    if wire.etag_listed(request.headers.get("If-None-Match", "") or "-", etag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(lines, content_type="text/plain; charset=utf-8", headers=headers)


def _body(request: HttpRequest) -> IO[bytes]:
    """The request's body, unzipped within the limit. Raises BodyTooLarge, NoGit."""
    limit = int(settings.SMALL_BODY_LIMIT)
    sent = request.read(limit + 1)
    if request.headers.get("Content-Encoding", "identity").strip().lower() in {"gzip", "x-gzip"}:
        try:
            with gzip.open(BytesIO(sent)) as unzipped:
                sent = unzipped.read(4 * limit + 1)
        except (OSError, EOFError, zlib.error):
            raise NoGit("The body is no gzip.") from None
        limit *= 4
    if len(sent) > limit:
        raise BodyTooLarge(f"A body here may have at most {limit:,} bytes.")
    return BytesIO(sent)
