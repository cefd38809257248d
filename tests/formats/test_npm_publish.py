"""From a publish document to a publication: what is checked, what is kept.

Rows N3, N12 and N13 of the threats.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.formats.errors import (
    ContentInvalid,
    DocumentInvalid,
    IntegrityMismatch,
    NotSupported,
    TagInvalid,
    VersionInvalid,
)
from packages.formats.npm.publish import Intake, Kind, deprecations, kind_of, parse_publish
from packages.formats.publication import Publication, StagedFile
from tests.parts.pack import Packed, pack, publish_document, sri, tar_gz
from workspaces.errors import GatehouseError, TooLarge


def staged(tmp_path: Path, content: bytes) -> StagedFile:
    """These bytes as the blobs' staging leaves them."""
    path = tmp_path / "staged"
    path.write_bytes(content)
    sha1, sha256, sha512 = (hashlib.new(name, content).hexdigest() for name in ("sha1", "sha256", "sha512"))
    return StagedFile(path=path, size=len(content), sha1=sha1, sha256=sha256, sha512=sha512)


def parse(tmp_path: Path, packed: Packed, document: dict[str, Any], name: str | None = None) -> Publication:
    """What the door does after scanning."""
    attachment = next(iter(document.get("_attachments") or {}), None)
    return parse_publish(name or packed.name, document, attachment, staged(tmp_path, packed.tarball))


def manifest_of(publication: Publication) -> dict[str, Any]:
    """The stored manifest."""
    found: dict[str, Any] = json.loads(publication.manifest)
    return found


@pytest.mark.parametrize("name", ["plain", "@acme/bar", "a", "x" * 214, "@a/b", "0", "a.b_c~d"])
def test_a_usual_publish(tmp_path: Path, name: str) -> None:
    packed = pack(name, "1.2.3-beta.1", dependencies={"left": "^1"})
    found = parse(tmp_path, packed, publish_document(packed, tag="next"))
    assert (found.format, found.name, found.version, found.tags) == ("npm", name, "1.2.3-beta.1", ("next",))
    assert found.filename == packed.filename
    manifest = manifest_of(found)
    assert manifest["dependencies"] == {"left": "^1"}
    assert manifest["dist"]["integrity"] == packed.integrity
    assert manifest["dist"]["fileCount"] == 2
    assert "tarball" not in manifest["dist"]


def test_the_attachment_may_be_named_without_the_scope(tmp_path: Path) -> None:
    packed = pack("@acme/bar")
    document = publish_document(packed)
    document["_attachments"] = {"bar-1.0.0.tgz": document["_attachments"].popitem()[1]}
    assert parse(tmp_path, packed, document).filename == "bar-1.0.0.tgz"


def test_what_a_client_says_of_itself_and_of_trust_is_not_kept(tmp_path: Path) -> None:
    packed = pack("claims", scripts={"test": "x"})
    document = publish_document(packed, access="public", _rev="9", internal=False)
    said = document["versions"]["1.0.0"]
    said |= {"_npmUser": {"name": "root"}, "internal": False, "trusted": True, "access": "public", "hasInstallScript": True}
    said |= {"_resolved": "x", "_from": "y", "_nodeVersion": "22.0.0", "_id": "other@9", "deprecated": "soon\0"}
    said["dist"] |= {"tarball": "http://evil.example.org/x.tgz", "signatures": [], "unpackedSize": 5}
    found = parse(tmp_path, packed, document)
    manifest = manifest_of(found)
    assert found.deprecated == "soon"
    assert manifest.keys() == {"name", "version", "description", "main", "scripts", "_id", "_nodeVersion", "dist", "readme"}
    assert manifest["_id"] == "claims@1.0.0"
    assert manifest["dist"].keys() == {"integrity", "shasum", "fileCount", "unpackedSize"}
    assert manifest["dist"]["unpackedSize"] > 5


@pytest.mark.parametrize(
    ("manifest", "files", "expected"),
    [
        ({}, {}, False),
        ({"scripts": {"test": "x"}}, {}, False),
        ({"scripts": {"postinstall": "x"}}, {}, True),
        ({"scripts": {"preinstall": ""}}, {}, False),
        ({"scripts": ["install"]}, {}, False),
        ({}, {"binding.gyp": b"{}"}, True),
        ({"gypfile": False}, {"binding.gyp": b"{}"}, False),
    ],
)
def test_install_scripts_are_read_from_the_tarball(
    tmp_path: Path, manifest: dict[str, Any], files: dict[str, bytes], *, expected: bool
) -> None:
    packed = pack("scripted", files=files, **manifest)
    document = publish_document(packed)
    document["versions"]["1.0.0"].pop("scripts", None)
    assert manifest_of(parse(tmp_path, packed, document)).get("hasInstallScript", False) is expected


def test_the_readme_is_cut_at_a_whole_character(tmp_path: Path) -> None:
    packed = pack("long-readme")
    document = publish_document(packed)
    document["versions"]["1.0.0"] |= {"readme": "é" * 100_000 + "\0", "readmeFilename": "README.md"}
    manifest = manifest_of(parse(tmp_path, packed, document))
    assert manifest["readme"] == "é" * 32_768
    assert manifest["readmeFilename"] == "README.md"


@pytest.mark.parametrize("inside", ["1.0.0", "v1.0.0", "=1.0.0", " 1.0.0 ", "1.0.0+build.5"])
def test_npm_cleans_the_version_of_package_json(tmp_path: Path, inside: str) -> None:
    packed = pack("cleaned", inside)
    parse(tmp_path, packed, publish_document(Packed("cleaned", "1.0.0", {**packed.manifest, "version": "1.0.0"}, packed.tarball)))


def version(document: dict[str, Any]) -> dict[str, Any]:
    """The document's only version."""
    found: dict[str, Any] = document["versions"]["1.0.0"]
    return found


def dist(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Change what the client says of the bytes."""
    return lambda document: version(document)["dist"].update(changes)


def top(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Change the document's own keys."""
    return lambda document: document.update(changes)


def attachment(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Change the attachment."""
    return lambda document: next(iter(document["_attachments"].values())).update(changes)


def of_version(**changes: object) -> Callable[[dict[str, Any]], object]:
    """Change the version."""
    return lambda document: version(document).update(changes)


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], object], type[GatehouseError]]] = {
    "another name": (top(name="b"), DocumentInvalid),
    "no name": (top(name=None), DocumentInvalid),
    "name a list": (top(name=["a"]), DocumentInvalid),
    "another _id": (top(_id="b"), DocumentInvalid),
    "versions a list": (top(versions=[1]), DocumentInvalid),
    "no versions": (top(versions={}), DocumentInvalid),
    "two versions": (lambda document: document["versions"].update({"1.0.1": {}}), DocumentInvalid),
    "version null": (top(versions={"1.0.0": None}), DocumentInvalid),
    "version key differs": (lambda document: top(versions={"1.0.1": version(document)})(document), DocumentInvalid),
    "version __proto__": (top(versions={"__proto__": {}}), VersionInvalid),
    "no semver": (top(versions={"1.0": {"version": "1.0"}}), VersionInvalid),
    "version's name": (of_version(name="b"), DocumentInvalid),
    "version's name missing": (lambda document: version(document).pop("name"), DocumentInvalid),
    "version's number": (of_version(version="1.0.1"), DocumentInvalid),
    "deprecated a list": (of_version(deprecated=[]), DocumentInvalid),
    "tags a list": (top(**{"dist-tags": ["latest"]}), DocumentInvalid),
    "tag a version": (top(**{"dist-tags": {"1.0.0": "1.0.0"}}), TagInvalid),
    "tag __proto__": (top(**{"dist-tags": {"__proto__": "1.0.0"}}), TagInvalid),
    "tag to another": (top(**{"dist-tags": {"latest": "9.9.9"}}), DocumentInvalid),
    "tag to an object": (top(**{"dist-tags": {"latest": {}}}), DocumentInvalid),
    "many tags": (top(**{"dist-tags": {f"t{number}": "1.0.0" for number in range(200)}}), DocumentInvalid),
    "no attachment": (top(_attachments={}), DocumentInvalid),
    "attachments a list": (top(_attachments=[1]), DocumentInvalid),
    "attachment null": (top(_attachments={"a-1.0.0.tgz": None}), DocumentInvalid),
    "attachment's name": (top(_attachments={"../a-1.0.0.tgz": {"data": ""}}), DocumentInvalid),
    "data a number": (attachment(data=5), DocumentInvalid),
    "length false": (attachment(length=1), IntegrityMismatch),
    "length a text": (attachment(length="1"), IntegrityMismatch),
    "length true": (attachment(length=True), IntegrityMismatch),
    "dist a list": (of_version(dist=[]), DocumentInvalid),
    "shasum false": (dist(shasum="0" * 40), IntegrityMismatch),
    "shasum a number": (dist(shasum=5), IntegrityMismatch),
    "integrity false": (dist(integrity=sri(b"other")), IntegrityMismatch),
    "integrity sha1 false": (dist(integrity="sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="), IntegrityMismatch),
    "integrity no SRI": (dist(integrity="abc"), DocumentInvalid),
    "integrity no base64": (dist(integrity="sha512-A"), DocumentInvalid),
    "integrity empty": (dist(integrity=""), DocumentInvalid),
    "integrity a list": (dist(integrity=[]), DocumentInvalid),
    "integrity long": (dist(integrity="sha512-AAAA " * 5000), DocumentInvalid),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(tmp_path: Path, case: str) -> None:
    change, kind = REFUSED[case]
    packed = pack("a")
    document = publish_document(packed)
    change(document)
    with pytest.raises(kind):
        parse(tmp_path, packed, document)


def test_integrity_may_hold_several_hashes(tmp_path: Path) -> None:
    packed = pack("several")
    document = publish_document(packed)
    version(document)["dist"]["integrity"] = f"sha384-AAAA sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= {sri(b'other')} {packed.integrity}?opt"
    with pytest.raises(IntegrityMismatch):
        parse(tmp_path, packed, document)
    version(document)["dist"]["integrity"] = f"sha384-AAAA {sri(b'other')} {packed.integrity}?opt"
    parse(tmp_path, packed, document)


@pytest.mark.parametrize("inside", [("other", "1.0.0"), ("a", "1.0.1"), ("a", "1.0.0-beta"), ("A", "1.0.0"), (None, "1.0.0"), ("a", 1)])
def test_another_package_json_inside(tmp_path: Path, inside: tuple[object, object]) -> None:
    content = tar_gz({"package/package.json": json.dumps({"name": inside[0], "version": inside[1]}).encode()})
    packed = Packed("a", "1.0.0", {"name": "a", "version": "1.0.0"}, content)
    with pytest.raises(ContentInvalid, match=r"package\.json in the tarball says"):
        parse(tmp_path, packed, publish_document(packed))


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"_attachments": {"a": 1}, "versions": {"1": 1}}, Kind.PUBLISH),
        ({"_attachments": {}, "versions": {"1": 1}}, Kind.DEPRECATE),
        ({"versions": {"1": 1}, "users": {}}, Kind.DEPRECATE),
        ({"users": {"a": True}}, Kind.STAR),
    ],
)
def test_the_three_things_one_route_carries(document: dict[str, Any], kind: Kind) -> None:
    assert kind_of(document) is kind


def test_a_document_of_nothing_is_refused() -> None:
    with pytest.raises(DocumentInvalid):
        kind_of({"name": "a", "versions": {}})


def test_deprecations_leave_versions_without_the_field_alone() -> None:
    versions = {"1.0.0": {"deprecated": "old"}, "1.1.0": {}, "1.2.0": {"deprecated": ""}, "1.3.0": {"deprecated": False}}
    assert deprecations({"versions": versions}) == {"1.0.0": "old", "1.2.0": "", "1.3.0": ""}
    bad_versions: list[object] = [{"1.0.0": {"deprecated": {}}}, {"1.0.0": []}, []]
    for bad in bad_versions:
        with pytest.raises(DocumentInvalid):
            deprecations({"versions": bad})


def test_provenance_and_a_second_tarball_are_refused_before_their_bytes() -> None:
    class Nowhere:
        def write(self, chunk: bytes) -> None:
            """Drop it."""

    intake = Intake(Nowhere())
    with pytest.raises(NotSupported):
        intake.sink_for("a-1.0.0.sigstore")
    intake.sink_for("a-1.0.0.tgz")
    with pytest.raises(DocumentInvalid):
        intake.sink_for("b-1.0.0.tgz")


def test_a_manifest_too_large_to_be_served(tmp_path: Path) -> None:
    packed = pack("a", description="x" * (2 * 1024 * 1024 - 1000))
    document = publish_document(packed)
    document["versions"]["1.0.0"]["readme"] = "y" * 5000
    with pytest.raises(TooLarge):
        parse(tmp_path, packed, document)


def test_what_the_client_says_beside_its_tarball_is_noted_and_not_kept(tmp_path: Path) -> None:
    packed = pack("a", scripts={"test": "true"}, dependencies={"left": "^1"})
    document = publish_document(packed)
    document["versions"]["1.0.0"] |= {
        "scripts": {"test": "true", "postinstall": "evil"},
        "dependencies": {},
        "description": "x" * 3_000_000,
    }
    found = parse(tmp_path, packed, document)
    manifest = manifest_of(found)
    assert (manifest["scripts"], manifest["dependencies"]) == ({"test": "true"}, {"left": "^1"})
    assert manifest["description"] == "a for tests"
    assert "hasInstallScript" not in manifest
    fields = {one["field"]: (one["document"], one["tarball"]) for one in found.differences}
    assert fields["scripts.postinstall"] == ("evil", None)
    assert fields["dependencies.left"] == (None, "^1")
    assert len(fields["description"][0]) < 400
