"""Listing an npm registry, where it can be listed: CouchDB's `_all_docs` (its manual, section 10.3.2), or `/-/all` of older ones."""

import re
from collections.abc import Callable, Iterator
from itertools import chain

from upstreams.clients.connections import no_check
from upstreams.clients.echo import is_echo
from upstreams.clients.http import Answer, Target, get, refuse_status
from upstreams.clients.questions import OK, ask_document
from upstreams.errors import UpstreamUnreachable

ROWS_LIMIT = 512 * 1024 * 1024  # bytes of rows, after decompression: they are read as they come
OVERLAP = 1024  # characters a row's name may have
ROW = re.compile(rb'"id"\s*:\s*"([^"\\]{1,512})"')
HEADERS = {"accept": "application/json", "accept-encoding": "gzip"}


def all_names(target: Target, *, before_send: Callable[[], None] = no_check) -> Iterator[str] | None:
    """Every name the upstream has, None where it does not list them. Raises UpstreamUnreachable, UpstreamTimeout and the like."""
    return _rows(target, before_send) or _all(target, before_send)


def _rows(target: Target, before_send: Callable[[], None]) -> Iterator[str] | None:
    answer = get(target, f"{target.url}/_all_docs", HEADERS, before_send=before_send)
    if answer.status != OK or "json" not in answer.headers.get("content-type", "json"):
        answer.close()
        _refuse_trouble(answer)
        return None
    rows = _read(target, answer)
    first = next(rows, None)
    return None if first is None else chain((first,), rows)  # without a single row it was no list


def _read(target: Target, answer: Answer) -> Iterator[str]:
    """The ids of the rows, without holding more than a piece of them; none that repeats our credentials (threats.md U15)."""
    left = b""
    try:
        for piece in answer.pieces(ROWS_LIMIT):
            data = left + piece
            end = 0
            for found in ROW.finditer(data):
                end = found.end()
                name = found[1].decode("utf-8", "replace")
                if not is_echo(target, name):
                    yield name
            left = data[max(end, len(data) - OVERLAP) :]
    finally:
        answer.close()


def _all(target: Target, before_send: Callable[[], None]) -> Iterator[str] | None:
    """An object of documents by name, or a list of documents."""
    answer = get(target, f"{target.url}/-/all", HEADERS, before_send=before_send)
    if answer.status != OK:
        answer.close()
        _refuse_trouble(answer)
        return None
    found = ask_document(target, answer)
    if isinstance(found, dict):
        return (name for name in found if not name.startswith("_"))
    if isinstance(found, list):
        return (one["name"] for one in found if isinstance(one, dict) and isinstance(one.get("name"), str))
    return None


def _refuse_trouble(answer: Answer) -> None:
    """A registry that does not list says so in many ways; one that is in trouble shall be asked again."""
    error = refuse_status(answer)
    if isinstance(error, UpstreamUnreachable):
        raise error
