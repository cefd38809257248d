"""OCI's names, digests and manifests, as tables."""

import json
from typing import Any

import pytest

from packages.formats.errors import NameInvalid, TagInvalid
from packages.formats.oci.digests import digest_of, is_reference_by_digest, parse_digest
from packages.formats.oci.errors import DigestInvalid, ManifestInvalid
from packages.formats.oci.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    MOST,
    OCI_INDEX,
    OCI_MANIFEST,
    Manifest,
    parse_manifest,
)
from packages.formats.oci.names import parse_name, parse_tag

ONE, TWO = str(digest_of(b"one")), str(digest_of(b"two", "sha512"))
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": ONE, "size": 3}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": TWO, "size": 3}
IMAGE: dict[str, Any] = {"schemaVersion": 2, "config": CONFIG, "layers": [LAYER]}
INDEX: dict[str, Any] = {"schemaVersion": 2, "manifests": [{**LAYER, "mediaType": OCI_MANIFEST, "platform": {"os": "linux", "x": 1}}]}


def parsed(document: dict[str, Any], content_type: str = OCI_MANIFEST) -> Manifest:
    return parse_manifest(json.dumps(document).encode(), content_type)


@pytest.mark.parametrize("text", ["a", "app", "a/b/c", "a.b", "a_b", "a__b", "a-b", "a---b/c", "9/manifests/x", "blobs/uploads", "a" * 255])
def test_names(text: str) -> None:
    assert parse_name(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "A",
        "a..b",
        "a___b",
        "-a",
        "a-",
        "a.",
        "a_-b",
        "a b",
        "a\n",
        "a\x00",
        "é",
        "a:b",
        "a@b",
        "a%2fb",
        "../a",
        "a" * 256,
    ],
)
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(NameInvalid):
        parse_name(text)


@pytest.mark.parametrize(("text", "is_tag"), [
    ("latest", True), ("_x", True), ("V1.0-rc_1", True), ("a" * 128, True),
    ("", False), ("a" * 129, False), (".a", False), ("-a", False), ("a/b", False), ("a\n", False), ("a:b", False), ("é", False),
])  # fmt: skip
def test_tags(text: str, is_tag: bool) -> None:  # noqa: FBT001 - a column of the table
    if is_tag:
        assert parse_tag(text) == text
        return
    with pytest.raises(TagInvalid):
        parse_tag(text)


def test_digests() -> None:
    assert str(parse_digest(ONE)) == ONE
    assert (parse_digest(TWO).algorithm, len(parse_digest(TWO).encoded)) == ("sha512", 128)
    assert is_reference_by_digest("sha256:baddigeststring")
    assert not is_reference_by_digest("v1")


@pytest.mark.parametrize(
    "text",
    ["", "sha256", "sha256:", "sha256:baddigeststring", ONE.upper(), ONE + "0", ONE + "\n", "md5:" + "0" * 32, " " + ONE,
     "sha512:" + "0" * 64,
     "sha256:" + "g" * 64, "sha256:" + "\u0660" * 64],
)  # fmt: skip
def test_what_is_no_digest(text: str) -> None:
    with pytest.raises(DigestInvalid):
        parse_digest(text)


def test_an_image() -> None:
    found = parsed({**IMAGE, "subject": LAYER, "annotations": {"a": "b", "c": 1}, "unknown": {"x": []}})
    assert (found.media_type, found.is_index) == (OCI_MANIFEST, False)
    assert [one.digest for one in found.blobs] == [ONE, TWO]
    assert found.subject is not None
    assert (found.subject.digest, dict(found.annotations)) == (TWO, {"a": "b"})
    assert found.refers_as == CONFIG["mediaType"]
    assert parsed({**IMAGE, "artifactType": "application/x"}).refers_as == "application/x"


def test_an_index() -> None:
    found = parsed(INDEX, OCI_INDEX)
    assert (found.is_index, list(found.blobs), found.refers_as) == (True, [], "")
    assert [(one.digest, dict(one.platform)) for one in found.children] == [(TWO, {"os": "linux"})]


@pytest.mark.parametrize(("document", "content_type", "expected"), [
    (IMAGE, "", OCI_MANIFEST),
    (INDEX, "", OCI_INDEX),
    (IMAGE, f"{OCI_MANIFEST}; charset=utf-8", OCI_MANIFEST),
    ({**IMAGE, "mediaType": DOCKER_MANIFEST}, "", DOCKER_MANIFEST),
    ({**IMAGE, "mediaType": DOCKER_MANIFEST}, DOCKER_MANIFEST, DOCKER_MANIFEST),
    (INDEX, DOCKER_LIST, DOCKER_LIST),
])  # fmt: skip
def test_the_type(document: dict[str, Any], content_type: str, expected: str) -> None:
    assert parsed(document, content_type).media_type == expected


def test_layers_that_lie_elsewhere() -> None:
    foreign = {**LAYER, "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}
    kept_back = {**LAYER, "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar"}
    found = parsed({**IMAGE, "layers": [LAYER, foreign, kept_back, {**LAYER, "urls": ["https://example.org/x"]}, {**LAYER, "urls": []}]})
    assert [one.is_elsewhere for one in found.layers] == [False, True, True, True, False]


@pytest.mark.parametrize(("document", "content_type", "field"), [
    ({**IMAGE, "mediaType": DOCKER_MANIFEST}, OCI_MANIFEST, "mediaType"),
    ({**IMAGE, "mediaType": 1}, "", "mediaType"),
    (IMAGE, "application/json", "mediaType"),
    (IMAGE, "application/vnd.docker.distribution.manifest.v1+prettyjws", "mediaType"),
    ({**IMAGE, "schemaVersion": 1}, OCI_MANIFEST, "schemaVersion"),
    ({"config": CONFIG, "layers": []}, OCI_MANIFEST, "schemaVersion"),
    ({**IMAGE, "manifests": []}, OCI_MANIFEST, "manifests"),
    ({**INDEX, "layers": []}, OCI_INDEX, "layers"),
    ({**INDEX, "config": None}, OCI_INDEX, "config"),
    ({**IMAGE, "fsLayers": []}, OCI_MANIFEST, "fsLayers"),
    ({"schemaVersion": 2, "layers": []}, OCI_MANIFEST, "config"),
    ({"schemaVersion": 2, "config": CONFIG}, OCI_MANIFEST, "layers"),
    ({**IMAGE, "layers": {}}, OCI_MANIFEST, "layers"),
    ({**IMAGE, "layers": [1]}, OCI_MANIFEST, "layers.0"),
    ({**IMAGE, "layers": [{**LAYER, "size": -1}]}, OCI_MANIFEST, "layers.0.size"),
    ({**IMAGE, "layers": [{**LAYER, "size": True}]}, OCI_MANIFEST, "layers.0.size"),
    ({**IMAGE, "layers": [{**LAYER, "size": "3"}]}, OCI_MANIFEST, "layers.0.size"),
    ({**IMAGE, "layers": [{"digest": ONE, "size": 3}]}, OCI_MANIFEST, "layers.0"),
    ({**IMAGE, "layers": [LAYER] * (MOST + 1)}, OCI_MANIFEST, "layers"),
    ({**IMAGE, "artifactType": 7}, OCI_MANIFEST, "artifactType"),
    ({**IMAGE, "subject": "x"}, OCI_MANIFEST, "subject"),
])  # fmt: skip
def test_what_is_no_manifest(document: dict[str, Any], content_type: str, field: str) -> None:
    with pytest.raises(ManifestInvalid) as caught:
        parsed(document, content_type)
    assert list(caught.value.fields) == [field]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 5000])
def test_what_is_no_json_object(content: bytes) -> None:
    with pytest.raises(ManifestInvalid):
        parse_manifest(content, OCI_MANIFEST)


def test_a_wrong_digest_in_it_is_named() -> None:
    with pytest.raises(DigestInvalid) as caught:
        parsed({**IMAGE, "layers": [{**LAYER, "digest": "sha256:x"}]})
    assert (caught.value.message.startswith("layers.0: "), list(caught.value.fields)) == (True, ["layers.0.digest"])
