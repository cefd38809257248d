"""The scanner of publish bodies: the same answer however the body is cut, strict, bounded, linear.

Row N1 of the threats.
"""

import base64
import io
import json
import random
import time
from itertools import pairwise
from typing import Any

import orjson
import pytest

from packages.formats.errors import DocumentInvalid
from packages.formats.npm import scan as scanning
from packages.formats.npm.scan import BodyCut, DocumentTooLarge, Scanner, scan
from tests.formats.bodies import DOUBLE, NO_BASE64, NO_DOCUMENT, TRICKY, Kept, Kepts, attached
from workspaces.errors import GatehouseError


def run(body: bytes, *cuts: int) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Scan the body cut at these places."""
    kepts = Kepts()
    scanner = Scanner(kepts.sink_for)
    for start, end in pairwise([0, *sorted(cuts), len(body)]):
        scanner.feed(body[start:end])
    return scanner.finish(), {name: kept.data for name, kept in kepts.items()}


@pytest.mark.parametrize("body", TRICKY)
def test_cutting_the_body_anywhere_changes_nothing(body: bytes) -> None:
    whole = run(body)
    for cut in range(len(body) + 1):
        assert run(body, cut) == whole
    assert run(body, *range(1, len(body))) == whole


@pytest.mark.parametrize("body", TRICKY)
def test_the_skeleton_is_the_document_without_its_data(body: bytes) -> None:
    expected = orjson.loads(body)
    document, data = run(body)
    for name, content in data.items():
        assert content == base64.b64decode(expected["_attachments"][name]["data"])
        expected["_attachments"][name]["data"] = ""
    assert document == expected


@pytest.mark.parametrize("size", [0, 1, 2, 3, 1000, 3 * 256 * 1024 + 1])
def test_attachments_of_every_size(size: int) -> None:
    content = random.Random(size).randbytes(size)
    kepts = Kepts()
    scan(io.BytesIO(attached(base64.b64encode(content).decode())), kepts.sink_for)
    assert kepts["a-1.0.0.tgz"].data == content


@pytest.mark.parametrize("data", NO_BASE64)
def test_what_is_not_base64_is_refused_however_it_is_cut(data: str) -> None:
    body = attached(data)
    for cuts in [(), *((cut,) for cut in range(len(body)))]:
        with pytest.raises(DocumentInvalid):
            run(body, *cuts)


@pytest.mark.parametrize("body", NO_DOCUMENT)
def test_what_is_no_document_is_refused(body: bytes) -> None:
    for cuts in [(), *((cut,) for cut in range(min(len(body), 60)))]:
        with pytest.raises(DocumentInvalid):
            run(body, *cuts)


@pytest.mark.parametrize("body", DOUBLE)
def test_a_key_that_comes_twice_is_refused(body: bytes) -> None:
    with pytest.raises(DocumentInvalid, match="twice"):
        run(body)


def test_the_same_key_in_different_attachments_is_fine() -> None:
    assert run(b'{"_attachments":{"a":{"data":"AAEC"},"b":{"data":"AAEC"}}}')[1] == {"a": b"\0\1\2", "b": b"\0\1\2"}


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_nesting_is_bounded(opening: bytes) -> None:
    with pytest.raises(DocumentInvalid, match="nested"):
        run(b'{"a":' + opening * 100_000)


def test_a_hundred_levels_are_read() -> None:
    assert run(b'{"a":' + b"[" * 99 + b"]" * 99 + b"}")[0]


def test_a_body_that_stops_is_told_apart() -> None:
    with pytest.raises(BodyCut):
        run(attached("AAEC")[:-30])


LARGE = {
    "a string": b'{"a":"' + b"x" * (25 * 1024 * 1024) + b'"}',
    "escapes": b'{"a":"' + b'\\"' * (13 * 1024 * 1024) + b'"}',
    "objects": b'{"a":[' + b"{}," * 2_000_000,
    "lists": b'{"a":[' + b"[]," * 8_000_000,
    "strings": b'{"a":[' + b'"ab",' * 2_000_000,
    "numbers": b'{"a":[' + b"1," * 8_000_000,
    "blanks": b" " * (25 * 1024 * 1024),
    "noise": b"x" * (25 * 1024 * 1024),
}


@pytest.mark.parametrize("case", LARGE)
def test_a_document_that_is_too_large_is_refused_quickly(case: str) -> None:
    began = time.process_time()
    with pytest.raises(DocumentTooLarge):
        scan(io.BytesIO(LARGE[case]), Kepts().sink_for)
    assert time.process_time() - began < 5


def test_many_keys_and_long_keys_are_refused() -> None:
    many = b"{" + b",".join(b'"%d":1' % number for number in range(20_000)) + b"}"
    for body in (many, b'{"%s":1}' % (b"k" * 5000)):
        for cuts in ((), (100,), (4000,)):
            with pytest.raises(DocumentInvalid):
                run(body, *cuts)


def test_random_documents_scan_as_orjson_parses() -> None:
    chance = random.Random(7)

    def value(depth: int) -> object:
        kind = chance.randrange(6 if depth < 5 else 3)
        if kind < 3:
            return [chance.random(), "".join(chance.choices('a"\\/é{}[]:,\n', k=8)), None][kind]
        if kind < 5:
            return {f"{chance.choice('ab_')}{number}": value(depth + 1) for number in range(4)}
        return [value(depth + 1) for _ in range(4)]

    for _ in range(200):
        document = {"a": value(0), "b": value(0)}
        body = json.dumps(document, ensure_ascii=chance.random() < 0.5).encode()
        assert run(body, *chance.sample(range(len(body)), min(5, len(body))))[0] == document


def test_a_sinks_refusal_comes_through() -> None:
    def refuse(name: str) -> Kept:
        raise GatehouseError(name)

    with pytest.raises(GatehouseError, match="a-1"):
        scan(io.BytesIO(attached("AAEC")), refuse)


def test_a_long_attachment_is_never_held(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    class Measured(Kept):
        def write(self, chunk: bytes) -> None:
            sizes.append(len(chunk))

    monkeypatch.setattr(scanning, "CHUNK", 4096)
    scan(io.BytesIO(attached("AAAA" * 100_000)), lambda _: Measured())
    assert sum(sizes) == 300_000
    assert max(sizes) <= 4096
