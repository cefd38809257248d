"""How the npm door writes what services return: packuments, tokens, accounts."""

import hashlib

from django.http import HttpRequest, HttpResponse

from protocols import wire
from tokens.models import Token
from upstreams.services.documents import Rendered


def packument_response(request: HttpRequest, rendered: Rendered) -> HttpResponse:
    """A rendered document: gzip as it lies when the client takes that, or 304 when it has it."""
    gzipped = wire.takes_gzip(request.headers.get("Accept-Encoding", ""))
    etag = rendered.etag if gzipped else rendered.plain_etag
    headers = wire.document_headers(rendered.form, etag, rendered.last_modified, gzipped=gzipped)
    headers |= wire.stale_headers() if rendered.is_stale else {}
    listed, since = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
    if listed is not None:
        fresh = wire.etag_listed(listed, etag)
    else:
        fresh = since is not None and wire.is_unmodified_since(since, rendered.last_modified)
    if fresh:
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(rendered.body if gzipped else rendered.plain(), headers=headers)


def json_document(request: HttpRequest, body: bytes) -> HttpResponse:
    """JSON made for this request, still with an ETag."""
    etag = hashlib.sha256(body).hexdigest()[:40]
    headers = {"ETag": f'"{etag}"', "Cache-Control": wire.REVALIDATE, "Vary": wire.VARY}
    listed = request.headers.get("If-None-Match")
    if listed is not None and wire.etag_listed(listed, etag):
        return HttpResponse(status=304, headers=headers)
    return HttpResponse(body, content_type="application/json", headers=headers)


def token_key(secret_hash: str) -> str:
    """What `npm token revoke` names a token by; tells nothing about its secret."""
    return hashlib.sha256(f"key of {secret_hash}".encode()).hexdigest()


def token_json(token: Token) -> dict[str, object]:
    """A token as npm lists it; `token` is the beginning of the secret only."""
    return {
        "token": token.prefix,
        "key": token_key(token.secret_hash),
        "name": token.name,
        "created": token.created_at.isoformat(),
        "updated": token.created_at.isoformat(),
        "readonly": token.read_only,
        "cidr_whitelist": token.cidrs or None,
        "expires": token.expires_at.isoformat() if token.expires_at else None,
        "scopes": token.scopes,
    }
