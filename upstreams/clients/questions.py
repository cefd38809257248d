"""What Gatehouse asks an npm registry beside single packages: a search, and what is known against some versions."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import orjson

from upstreams.clients.connections import no_check
from upstreams.clients.echo import refuse_echo
from upstreams.clients.http import Answer, Target, get, post, refuse_status
from upstreams.errors import UpstreamBadAnswer

ANSWER_LIMIT = 16 * 1024 * 1024  # bytes of an answer after decompression
CONTAINERS, VALUES = 200_000, 1_000_000  # objects and lists, and commas, in one answer: bounds what it takes in memory
OK = 200
NOT_DONE = frozenset({404, 405, 410, 501})  # the upstream does not do this at all
HEADERS = {"accept": "application/json", "accept-encoding": "gzip"}


def ask_search(target: Target, *, text: str, start: int, size: int, before_send: Callable[[], None] = no_check) -> dict[str, Any] | None:
    """Search at `target` (its address is the endpoint's); None where it has no search. Raises UpstreamError subclasses."""
    query = urlencode({"text": text, "size": size, "from": start})
    return _object(target, get(target, f"{target.url}?{query}", HEADERS, before_send=before_send))


def ask_audit(target: Target, body: bytes, *, before_send: Callable[[], None] = no_check) -> dict[str, Any] | None:
    """POST JSON to an audit endpoint (its address is the target's); None where it is not there. Raises UpstreamError subclasses."""
    return _object(target, post(target, target.url, body, {**HEADERS, "content-type": "application/json"}, before_send=before_send))


def ask_document(target: Target, answer: Answer) -> Any:
    """The JSON of an answer, bounded; the answer is closed. Raises UpstreamBadAnswer."""
    try:
        data = b"".join(answer.pieces(ANSWER_LIMIT))
    finally:
        answer.close()
    if data.count(b"{") + data.count(b"[") > CONTAINERS or data.count(b",") > VALUES:
        raise UpstreamBadAnswer(f"Upstream {answer.upstream} sent an answer of too many pieces.", upstream=answer.upstream)
    try:
        found = orjson.loads(data)
        refuse_echo(target, orjson.dumps(found))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        raise UpstreamBadAnswer(f"Upstream {answer.upstream} did not send JSON that can be used.", upstream=answer.upstream) from None
    return found


def _object(target: Target, answer: Answer) -> dict[str, Any] | None:
    if answer.status in NOT_DONE:
        answer.close()
        return None
    if answer.status != OK:
        answer.close()
        raise refuse_status(answer)
    found = ask_document(target, answer)
    if not isinstance(found, dict):
        raise UpstreamBadAnswer(f"Upstream {answer.upstream} did not send a JSON object.", upstream=answer.upstream)
    return found
