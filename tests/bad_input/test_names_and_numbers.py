"""Names, versions and tags outside their grammar: refused, and nothing changes.

Rows N4, N5 and N9 of the threats.
"""

from urllib.parse import unquote

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.pack import pack, publish_document

NAMES = [
    "..",
    ".",
    "../x",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2fetc",
    "a%2fb%2fc",
    "@acme%2f..",
    "@acme%2f..%2fx",
    "@%2fx",
    "@acme%2f",
    "@acme",
    "__proto__",
    "constructor",
    "@__proto__%2fx",
    "node_modules",
    "favicon.ico",
    ".hidden",
    "_under",
    "-%00-",
    "nul%00byte",
    "new%0aline",
    "UPPER",
    "@Acme%2fthing",
    "sp%20ace",
    "percent%2525",
    "%25",
    "%ff%fe",
    "caf%C3%A9",
    "a" * 215,
    "a" * 300,
    "@acme%2f" + "b" * 300,
    "semi;colon",
    "back%5cslash",
    "quo%22te",
    "%3Cscript%3E",
    "a%252fb",
    "@acme%252fb",
    "~%2f~",
    "@acme%2fx%2f-%2fx-1.0.0.tgz",
]


@pytest.mark.parametrize("path", NAMES)
def test_a_bad_name_is_refused(place: Place, gate: Gate, path: str) -> None:
    name = unquote(path, errors="replace")
    document = publish_document(pack("stand-in"), name=name, _id=name)
    document["versions"]["1.0.0"]["name"] = name
    with gate.unchanged():
        answer = place.as_("bob").put(f"/{path}", document)
        read = place.as_("rita").get(f"/{path}")

    assert answer.status in {400, 404, 405}, answer
    assert read.status in {400, 404}, read
    assert "Traceback" not in answer.text + read.text


@pytest.mark.parametrize(
    "version",
    [
        "1",
        "1.0",
        "v1.0.0",
        "1.0.0.0",
        "01.0.0",
        "1.0.0-",
        "latest",
        "",
        " 1.0.0",
        "1.0.0 ",
        "1.0.0-01",
        "../1.0.0",
        "__proto__",
        "9" * 400 + ".0.0",
        f"{2**53}.0.0",
        "1.0.0+",
        "\uff11.0.0",
        "1.0.0\n",
        "1.0.0/../2",
    ],
)
def test_a_version_that_is_not_semver_is_refused(place: Place, gate: Gate, version: str) -> None:
    packed = pack("numbered", version)
    with gate.unchanged():
        answer = place.publish(packed, expect=None)

    assert answer.status == 400, answer
    assert answer.json()["error"]


@pytest.mark.parametrize("tag", ["1.0.0", "%5e1", "v2", "1.x", "__proto__", "a%20b", "%00", "x" * 200, "-flag", "..", "%2e%2e%2fx"])
def test_a_bad_tag_is_refused(place: Place, gate: Gate, tag: str) -> None:
    place.publish(pack("to-tag"))
    with gate.unchanged():
        answer = place.as_("bob").put(f"/-/package/to-tag/dist-tags/{tag}", b'"1.0.0"')

    assert answer.status in {400, 404}, answer


@pytest.mark.parametrize("body", [b"", b"1.0.0", b"{}", b'"9.9.9"', b"null", b'"1.0.0', b"[]"])
def test_a_bad_tag_body_is_refused(place: Place, gate: Gate, body: bytes) -> None:
    place.publish(pack("to-tag-too"))
    with gate.unchanged():
        answer = place.as_("bob").put("/-/package/to-tag-too/dist-tags/next", body)

    assert answer.status in ({404} if b"9.9.9" in body else {400}), answer
