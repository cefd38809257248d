"""What Gatehouse asks an npm registry about trust: its public keys, and the attestations of a version."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import orjson

from packages.formats.npm.names import Name
from upstreams.clients.connections import no_check
from upstreams.clients.echo import refuse_echo
from upstreams.clients.http import Answer, Target, get, refuse_status
from upstreams.clients.npm import GONE, NOT_FOUND, OK, escaped
from upstreams.errors import UpstreamBadAnswer

KEYS_LIMIT = 256 * 1024  # bytes; a key takes 300
ATTESTATIONS_LIMIT = 4 * 1024 * 1024  # bytes; a bundle takes about 10 KB
KEYS = 64  # of one upstream
LENGTH = 2000  # characters of a key's field
FIELDS = ("keyid", "keytype", "scheme", "key")


def fetch_keys(target: Target) -> list[dict[str, str | None]]:
    """The keys an upstream signs with, well-formed ones only; [] when it has none. Raises UpstreamError subclasses."""
    said = _fetch(target, "keys", KEYS_LIMIT)
    listed = said.get("keys") if said is not None else []
    if not isinstance(listed, list):
        raise UpstreamBadAnswer(f"Upstream {target.name} did not send a list of keys.", upstream=target.name)
    return [key for one in listed[:KEYS] if (key := _key(one)) is not None]


def fetch_attestations(target: Target, name: Name, version: str, *, before_send: Callable[[], None] = no_check) -> dict[str, Any] | None:
    """The attestations of a version as the upstream has them, None when it has none. Raises UpstreamError subclasses."""
    said = _fetch(target, f"attestations/{escaped(name)}@{quote(version, safe='')}", ATTESTATIONS_LIMIT, before_send)
    if said is not None and not isinstance(said.get("attestations"), list):
        raise UpstreamBadAnswer(f"Upstream {target.name} did not send attestations.", upstream=target.name)
    return said


def _fetch(target: Target, path: str, limit: int, before_send: Callable[[], None] = no_check) -> dict[str, Any] | None:
    """A JSON object below the registry's `/-/npm/v1/`, None for its 404."""
    headers = {"accept": "application/json", "accept-encoding": "gzip"}
    answer = get(target, f"{target.url}/-/npm/v1/{path}", headers, before_send=before_send)
    try:
        return _read(target, answer, limit)
    finally:
        answer.close()


def _read(target: Target, answer: Answer, limit: int) -> dict[str, Any] | None:
    if answer.status in {NOT_FOUND, GONE}:
        return None
    if answer.status != OK:
        raise refuse_status(answer)
    try:
        said = orjson.loads(b"".join(answer.pieces(limit)))
        refuse_echo(target, orjson.dumps(said))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        said = None
    if not isinstance(said, dict):
        raise UpstreamBadAnswer(f"Upstream {answer.upstream} did not send JSON that can be used.", upstream=answer.upstream)
    return said


def _key(said: object) -> dict[str, str | None] | None:
    """A key's known fields; anything else it says is not passed on."""
    if not isinstance(said, dict) or not all(isinstance(said.get(field), str) and len(said[field]) <= LENGTH for field in FIELDS):
        return None
    expires = said.get("expires")
    return {"expires": expires if isinstance(expires, str) and len(expires) <= LENGTH else None, **{field: said[field] for field in FIELDS}}
