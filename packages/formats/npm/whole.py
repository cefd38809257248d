"""The usual publish body, read at once: small, in one piece, one attachment, nothing unusual in it. Pure.

A scanner in Python costs 250 µs for such a body, the parsers in C 50. What this one is not sure of it leaves to the
scanner (`packages.formats.npm.scan`), so both read the same bodies in the same way.
"""

import json
import re
from typing import Any

import orjson

from packages.formats.npm.attachments import ATTACHMENTS, DATA, DEPTH_LIMIT, KEY_LIMIT, KEYS_LIMIT, Base64Reader, SinkFor

# The attachments, the first one's name and its fields before the data (no escapes anywhere), and the quote that opens the data.
SPACE = rb"[ \t\r\n]*+"
STRING = rb'"[^"\\]*+"'
FIELD = SPACE.join((rb'(?:(?!"%b")%b' % (DATA.encode(), STRING), b":", rb"(?:%b|[0-9]+)" % STRING, b",", b")*+"))
BEFORE = (b'"%b"' % ATTACHMENTS.encode(), b":", rb"\{", rb'"([^"\\]*)"', b":", rb"\{", FIELD + b'"%b"' % DATA.encode(), b":", b'"')
ATTACHED = re.compile(SPACE.join(BEFORE))


def read_whole(body: bytes, sink_for: SinkFor) -> dict[str, object] | None:
    """The document without its attachment's data, which went to its sink; None: not for here, and nothing has happened.

    Raises DocumentInvalid when the data is not base64, and what the sink raises.
    """
    found = ATTACHED.search(body)
    end = body.find(b'"', found.end()) if found else -1
    if found is None or end < 0:
        return None
    document, name = _parsed(body[: found.end()] + body[end:]), found[1].decode("utf-8", "replace")
    if document is None or not _stands_in(document, name):
        return None
    reader = Base64Reader(sink_for(name), name)
    reader.feed(body[found.end() : end])
    reader.finish()
    return document


def _stands_in(document: dict[str, Any], name: str) -> bool:
    """Whether the place found is the data of the document's one attachment."""
    attachments = document.get(ATTACHMENTS)
    if not isinstance(attachments, dict) or list(attachments) != [name]:
        return False
    return isinstance(attachments[name], dict) and attachments[name].get(DATA) == ""


def _parsed(skeleton: bytes) -> dict[str, Any] | None:
    """The object; None when it is none, or has what the scanner refuses."""
    if skeleton.count(b"{") + skeleton.count(b"[") > DEPTH_LIMIT:
        return None
    if skeleton.count(ATTACHMENTS.encode()) != 1 or b"\\u" in skeleton:  # so that the place found is the only one, in any spelling
        return None
    try:
        document = orjson.loads(skeleton)
        json.loads(skeleton, object_pairs_hook=_once_each)
    except ValueError:
        return None
    if not isinstance(document, dict) or len(document) > KEYS_LIMIT or any(len(key) > KEY_LIMIT // 8 for key in document):
        return None  # the limit is one of bytes, with escapes: so far below it any key is within
    return document


def _once_each(pairs: list[tuple[str, object]]) -> None:
    """Raises ValueError for a key that comes twice: the parsers take the last one silently."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError
