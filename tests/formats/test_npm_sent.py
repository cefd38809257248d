"""Packuments that are only looked into: what they say is what a whole reading says, and nothing broken passes."""

import json

import orjson
import pytest

from packages.formats.npm.packument import promises
from packages.formats.npm.sent import NotMetadata, Sent

HASH = "sha512-" + "a" * 86 + "=="
VERSIONS = {
    "1.0.0": {"name": "a", "version": "1.0.0", "dist": {"integrity": HASH, "tarball": "https://registry.example.org/a.tgz"}},
    "1.1.0": {"name": "a", "version": "1.1.0", "dist": {"shasum": "AB" * 20}},
    "1.2.0": {"name": "a", "dist": {"integrity": "odd"}},
    "1.3.0": {"name": "a", "dist": ["no", {"object": 1}]},
    "1.4.0": "no object",
    "1.5.0": None,
    "no version": {"dist": {"integrity": HASH}},
    "2.0.0-ü": {"dist": {"integrity": HASH}},
}
DOCUMENT = {
    "readme": "[" * 100,
    "name": "a",
    "dist-tags": {"latest": "1.0.0", "odd": 5},
    "time": {"1.0.0": "2020"},
    "versions": VERSIONS,
    "users": {"x": [1e400, True, None]},
}


@pytest.mark.parametrize("spaces", [None, 2])
def test_the_same_as_read_as_a_whole(spaces: int | None) -> None:
    written = json.dumps({**DOCUMENT, "users": {}}, indent=spaces, ensure_ascii=spaces is None).encode()
    sent, document = Sent(written), orjson.loads(written)
    assert sent.name == "a"
    assert sent.tags == {"latest": "1.0.0", "odd": 5}
    assert sent.promises() == promises(document) == {"1.0.0": HASH, "1.1.0": "sha1-hex:" + "ab" * 20}
    for version, manifest in document["versions"].items():
        assert sent.only(version) == {"versions": {version: manifest}}
    assert sent.only("9.9.9") == {"versions": {}}


BROKEN = [
    b"",
    b"{",
    b'{"name":"a","versions":{}',
    b'{"name":"a","versions":{}} x',
    b'{"name":"a","versions":{},"x":NaN}',
    b'{"name":"a","versions":{},"x":01}',
    b'{"name":"a","versions":{},"x":"\x01"}',
    b'{"name":"a","versions":{},"x":"\xff"}',
    b'{"name":"a","versions":{"1.0.0":{"x":"\xff"}}}',
    b'{"name":"a","versions":{"1.0.0":{"x":"\\ud800"}}}',
    b'{"name":"a","versions":{"1.0.0":{]}}}',
    b'{"name":"a","versions":{"1.0.0":' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
    b'\xef\xbb\xbf{"name":"a","versions":{}}',
    '{"name":"a","versions":{}}'.encode("utf-16"),
]


@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_json_is_refused_wherever_it_is_broken(data: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        Sent(data)


@pytest.mark.parametrize(
    "data", [b"[]", b"null", b'"a"', b'{"name":"a"}', b'{"versions":[]}', b'{"versions":null}', b'{"name":1,"versions":1}']
)
def test_what_is_no_packument_is_refused(data: bytes) -> None:
    with pytest.raises(NotMetadata):
        Sent(data)


@pytest.mark.parametrize("tags", ["null", "[]", '"latest"', "5"])
def test_tags_that_are_none(tags: str) -> None:
    assert Sent(f'{{"name":"a","versions":{{}},"dist-tags":{tags}}}'.encode()).tags == {}


def nested(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth - 1):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("document", "depth", "is_within"),
    [
        ({"name": "a", "versions": {}}, 2, True),
        ({"name": "a", "versions": {"1.0.0": {"x": nested(5)}}}, 8, True),
        ({"name": "a", "versions": {"1.0.0": {"x": nested(6)}}}, 8, False),
        ({"name": "a", "versions": {str(n): {"x": nested(5)} for n in range(50)}}, 8, True),
        ({"name": "a", "versions": {}, "x": nested(6)}, 8, True),
        ({"name": "a", "versions": {}, "x": nested(7)}, 8, False),
        ({"name": "a", "versions": {}, "readme": "{" * 7}, 8, False),  # text may be counted, and is then read as a whole
        ({"name": "a", "versions": {"1.0.0": {"x": "]" * 90, "y": nested(90)}}}, 50, False),
    ],
)
def test_how_deep_it_nests_is_never_told_too_low(document: object, depth: int, is_within: object) -> None:
    assert Sent(orjson.dumps(document)).nests_within(depth) is is_within
