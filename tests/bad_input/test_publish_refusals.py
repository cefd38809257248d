"""Issue 2, "Bad input": each refusal has its exact status and leaves rows, blobs and events as they were.

Rows N1, N3, N10, N12 and P1 of the threats.
"""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.pack import Packed, pack, publish_document, sri, tar_gz

Body = Callable[[Packed], Any]


def attachment(document: dict[str, Any], **changes: object) -> dict[str, Any]:
    """The document with its attachment changed."""
    next(iter(document["_attachments"].values())).update(changes)
    return document


def carrying(packed: Packed, content: bytes) -> dict[str, Any]:
    """A document that is true about `content`, whatever that is."""
    other = Packed(packed.name, packed.version, packed.manifest, content)
    return publish_document(other)


def with_dist(packed: Packed, **changes: object) -> dict[str, Any]:
    """The document with its `dist` changed."""
    document = publish_document(packed)
    document["versions"][packed.version]["dist"].update(changes)
    return document


def named(inside: str, version: str = "1.0.0") -> Body:
    """A tarball whose package.json says something else."""
    return lambda packed: carrying(packed, pack(inside, version).tarball)


def without_package_json(packed: Packed) -> dict[str, Any]:
    """A tarball with no manifest."""
    return carrying(packed, tar_gz({"package/index.js": b"1"}))


def broken_package_json(packed: Packed) -> dict[str, Any]:
    """A tarball with a manifest that is no JSON."""
    return carrying(packed, tar_gz({"package/package.json": b"{name:"}))


def bomb(packed: Packed) -> dict[str, Any]:
    """A gzip that unpacks to 1 GiB of zeros behind a true package.json."""
    member = gzip.compress(bytes(16 * 1024 * 1024), 9)
    return carrying(packed, packed.tarball[: -0 or None] + member * 64)


def pure_bomb(packed: Packed) -> dict[str, Any]:
    """A gzip of zeros only."""
    return carrying(packed, gzip.compress(bytes(16 * 1024 * 1024), 9) * 64)


def tar_bomb(packed: Packed) -> dict[str, Any]:
    """A package.json of 300 MB of blanks, well compressed."""
    big = json.dumps(dict(packed.manifest)).encode() + b" " * (300 * 1024 * 1024)
    return carrying(packed, tar_gz({"package/package.json": big}))


def cut_gzip(packed: Packed) -> dict[str, Any]:
    """A tarball that ends early."""
    return carrying(packed, packed.tarball[: len(packed.tarball) // 2])


def other_version_key(packed: Packed) -> dict[str, Any]:
    """`versions` names one number, the manifest another."""
    document = publish_document(packed)
    document["versions"] = {"9.9.9": document["versions"]["1.0.0"]}
    return document


def two_versions(packed: Packed) -> dict[str, Any]:
    """Two versions in one publish."""
    document = publish_document(packed)
    document["versions"]["1.0.1"] = {**document["versions"]["1.0.0"], "version": "1.0.1"}
    return document


def two_attachments(packed: Packed) -> dict[str, Any]:
    """Two tarballs in one publish."""
    document = publish_document(packed)
    document["_attachments"]["another-1.0.0.tgz"] = dict(next(iter(document["_attachments"].values())))
    return document


def wrong_shasum(packed: Packed) -> dict[str, Any]:
    """A false SHA-1."""
    return with_dist(packed, shasum="0" * 40)


BODIES: dict[str, tuple[Body, int]] = {
    "no JSON": (lambda _: b"{broken", 400),
    "empty": (lambda _: b"", 400),
    "a list": (lambda _: b"[]", 400),
    "a string": (lambda _: b'"x"', 400),
    "null": (lambda _: b"null", 400),
    "not UTF-8": (lambda _: b'{"name":"\xff\xfe"}', 400),
    "cut JSON": (lambda packed: json.dumps(publish_document(packed)).encode()[:-10], 400),
    "JSON and more": (lambda packed: json.dumps(publish_document(packed)).encode() + b"{}", 400),
    "very deep": (lambda _: b'{"a":' * 100_000, 400),
    "gzip bytes": (lambda packed: packed.tarball, 400),
    "no versions": (lambda packed: publish_document(packed, versions={}), 400),
    "versions a list": (lambda packed: publish_document(packed, versions=[]), 400),
    "another name": (lambda packed: publish_document(packed, name="somebody-else"), 400),
    "another _id": (lambda packed: publish_document(packed, _id="somebody-else"), 400),
    "name missing": (lambda packed: publish_document(packed, name=None), 400),
    "version key differs": (other_version_key, 400),
    "two versions": (two_versions, 400),
    "two attachments": (two_attachments, 400),
    "base64 with a bad character": (lambda packed: attachment(publish_document(packed), data="!!!!"), 400),
    "base64 cut": (lambda packed: attachment(publish_document(packed), data=base64.b64encode(packed.tarball).decode()[:-3]), 400),
    "base64 empty": (lambda packed: attachment(publish_document(packed), data="", length=0), 400),
    "base64 a number": (lambda packed: attachment(publish_document(packed), data=5), 400),
    "length too small": (lambda packed: attachment(publish_document(packed), length=1), 400),
    "length too large": (lambda packed: attachment(publish_document(packed), length=10**9), 400),
    "integrity false": (lambda packed: with_dist(packed, integrity=sri(b"other bytes")), 400),
    "integrity garbage": (lambda packed: with_dist(packed, integrity="sha512-zzz"), 400),
    "shasum false": (wrong_shasum, 400),
    "no gzip": (lambda packed: carrying(packed, b"this is no gzip at all"), 422),
    "gzip of no tar": (lambda packed: carrying(packed, gzip.compress(b"plain text")), 422),
    "cut gzip": (cut_gzip, 422),
    "no package.json": (without_package_json, 422),
    "broken package.json": (broken_package_json, 422),
    "another name inside": (named("somebody-else"), 422),
    "another version inside": (named("refused", "1.0.1"), 422),
    "gzip bomb behind": (bomb, 422),
    "gzip bomb": (pure_bomb, 422),
    "tar bomb": (tar_bomb, 422),
    "tag a version": (lambda packed: publish_document(packed, tag="1.0.0"), 400),
    "tag a range": (lambda packed: publish_document(packed, tag="1.x"), 400),
    "tag __proto__": (lambda packed: publish_document(packed, tag="__proto__"), 400),
    "tag of another version": (lambda packed: {**publish_document(packed), "dist-tags": {"latest": "7.7.7"}}, 400),
}


@pytest.mark.parametrize("case", BODIES)
def test_a_bad_body_changes_nothing(place: Place, gate: Gate, case: str) -> None:
    make, expected = BODIES[case]
    body = make(pack("refused"))
    with gate.unchanged():
        answer = place.as_("bob").put("/refused", body)

    assert answer.status == expected, answer
    assert answer.json()["error"], "a sentence"
    assert "Traceback" not in answer.text
    assert "/site-packages/" not in answer.text


def test_the_same_bytes_again_are_200_and_change_nothing(place: Place, gate: Gate) -> None:
    packed = pack("retried")
    place.publish(packed)
    with gate.unchanged():
        place.publish(packed, expect=200)


def test_other_bytes_are_409(place: Place, gate: Gate) -> None:
    first = pack("immutable")
    place.publish(first)
    with gate.unchanged():
        answer = place.publish(pack("immutable", text="other"), expect=409)

    assert "1.0.0" in answer.json()["error"]
    assert place.as_("rita").get("/immutable/-/immutable-1.0.0.tgz").body == first.tarball


def test_bytes_cannot_change_through_a_metadata_update(place: Place, gate: Gate) -> None:
    packed = pack("rewritten")
    place.publish(packed)
    document = place.as_("bob").get("/rewritten?write=true").json()
    document["versions"]["1.0.0"]["dist"]["integrity"] = sri(b"evil")
    document["versions"]["1.0.0"]["dependencies"] = {"evil": "1"}
    document["versions"]["2.0.0"] = {**document["versions"]["1.0.0"], "version": "2.0.0"}
    place.as_("bob").put("/rewritten", document)

    shown = place.as_("rita").get("/rewritten").json()
    assert sorted(shown["versions"]) == ["1.0.0"]
    assert shown["versions"]["1.0.0"]["dist"]["integrity"] == packed.integrity
    assert "dependencies" not in shown["versions"]["1.0.0"]


@pytest.mark.parametrize("who", ["rita", "mallory", ""])
def test_who_may_not_publish_changes_nothing(place: Place, gate: Gate, who: str) -> None:
    with gate.unchanged():
        answer = place.publish(pack("not-allowed"), who=who, expect=None)

    assert answer.status == {"rita": 403, "mallory": 404, "": 401}[who], answer


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer gth_" + "0" * 46, "Basic !!!", "Basic Zm9v", "Digest x", "Bearer"])
def test_credentials_that_are_none(place: Place, gate: Gate, header: str) -> None:
    with gate.unchanged():
        answer = place.as_("").request("GET", "/anything", headers={"authorization": header})

    assert answer.status == 401, answer
