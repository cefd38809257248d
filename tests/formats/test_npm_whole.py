"""A publish body read at once is read as the scanner would, or left to it untouched."""

import io
import json
from collections.abc import Callable

import pytest

from packages.formats.errors import DocumentInvalid
from packages.formats.npm.attachments import SinkFor
from packages.formats.npm.scan import Scanner, scan
from packages.formats.npm.whole import read_whole
from tests.formats.bodies import DOUBLE, NO_BASE64, NO_DOCUMENT, TRICKY, Kepts, attached
from tests.parts.pack import pack, publish_document


def _outcome(body: bytes, read: Callable[[bytes, SinkFor], object]) -> object:
    """The document and what its attachments hold, or the refusal's sentence."""
    kepts = Kepts()
    try:
        return read(body, kepts.sink_for), {name: kept.data for name, kept in kepts.items()}
    except DocumentInvalid as refusal:
        return type(refusal), str(refusal)


def _scanned(body: bytes, sink_for: SinkFor) -> object:
    scanner = Scanner(sink_for)
    scanner.feed(body)
    return scanner.finish()


HELD_APART = [
    attached("AAEC").replace(b'"z"', b'"a\\u0062"'),
    attached("AAEC").replace(b'"z"', b'"_attachments"'),
    attached("AAEC").replace(b'"name":"a"', b'"name":"a","name":"b"'),
    attached("AAEC").replace(b'"length":3', b'"data":"AAAA"'),
    attached("AAEC").replace(b'"content_type":"x"', b'"data":5'),
    attached("AAEC").replace(b'"content_type":"x"', b'"x":"\\"data\\":\\""'),
    attached("AAEC").replace(b'"content_type":"x"', b'"x":{"data":"AAAA"}'),
    attached("AAEC").replace(b'"z":[1', b'"z":[' + b"[" * 150 + b"]" * 150),
    attached("AAEC").replace(b'"z":[1', b'"z":[NaN'),
    attached("AAEC").replace(b'"z":[1', b'"z":["\xff"'),
    attached("AAEC").replace(b'"name"', b'"%b"' % (b"n" * 3000)),
    b'{"x":' + attached("AAEC") + b"}",
    b"[" + attached("AAEC") + b"]",
    b'"' + attached("AAEC").replace(b'"', b"'") + b'"',
    attached("AAEC") + b"x",
    attached("AAEC") + b"{}",
]


@pytest.mark.parametrize("body", [*TRICKY, *NO_DOCUMENT, *DOUBLE, *(attached(data) for data in NO_BASE64), *HELD_APART])
def test_a_small_body_read_at_once_is_read_as_the_scanner_reads_it(body: bytes) -> None:
    assert _outcome(body, lambda whole, sink_for: scan(io.BytesIO(whole), sink_for)) == _outcome(body, _scanned)


def test_what_clients_send_is_read_at_once() -> None:
    body = json.dumps(publish_document(pack("@acme/left", "1.0.0", manifest={"keywords": ["\u00e9"]})), ensure_ascii=False).encode()
    for sent in (body, body.replace(b'": ', b'":').replace(b", ", b",")):
        kepts = Kepts()
        assert read_whole(sent, kepts.sink_for) is not None
        assert kepts["@acme/left-1.0.0.tgz"].data[:2] == b"\x1f\x8b"


def test_what_is_left_to_the_scanner_has_touched_nothing() -> None:
    for body in (*HELD_APART, *NO_DOCUMENT, *DOUBLE):
        kepts = Kepts()
        assert read_whole(body, kepts.sink_for) is None
        assert not kepts
