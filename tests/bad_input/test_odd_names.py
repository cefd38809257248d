"""Names and versions that look alike, break JavaScript objects or go on for ever; and what clients claim of trust.

Rows N1, N4, N5, N6, N7, N9, N12 and N13 of the threats, in process.
"""

import json
import tracemalloc
from typing import Any

import pytest
from django.test import Client

from packages.formats.npm import versions
from packages.models import Blob, File, Version
from tests.npm.team import Team, facts
from tests.parts.pack import Packed, pack, publish_document
from workspaces.models import Event

PROTOTYPES = ["__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf", "isPrototypeOf", "__defineGetter__"]
TAGS = {"toString", "valueOf", "isPrototypeOf"}  # ordinary words as keys of JSON


def everything() -> tuple[object, ...]:
    """What a refusal must leave as it is."""
    return (facts(), Blob.objects.count(), File.objects.count(), Event.objects.count())


def document_as(name: str, version: str = "1.0.0", **changes: Any) -> dict[str, Any]:
    """A publish that claims to be this package, whatever npm thinks of the name."""
    packed = pack("stand-in", version)
    return publish_document(Packed(name, version, {**packed.manifest, "name": name}, packed.tarball), **changes)


def test_two_that_would_share_a_file_name_are_two(team: Team) -> None:
    first, second = pack("a", "1.0.0-b-2.0.0"), pack("a-1.0.0-b", "2.0.0")
    for packed in (first, second):
        assert team.send("bob", "PUT", f"/{packed.name}", publish_document(packed)).status_code == 201
    for packed in (first, second):
        assert team.send("rita", "GET", f"/{packed.name}/-/{packed.filename}").getvalue() == packed.tarball
        shown = team.send("rita", "GET", f"/{packed.name}").json()
        assert {number: one["dist"]["integrity"] for number, one in shown["versions"].items()} == {packed.version: packed.integrity}
    assert first.filename == second.filename
    assert first.integrity != second.integrity


@pytest.mark.parametrize("name", PROTOTYPES)
def test_a_package_of_such_a_name_is_refused(team: Team, name: str) -> None:
    before = everything()
    for full in (name, f"@{name}/x", f"@acme/{name}"):
        answer = team.send("bob", "PUT", "/" + full.replace("/", "%2f"), document_as(full))
        assert (answer.status_code, "is not a package name" in answer.json()["error"]) == (400, True), full
        assert team.send("rita", "GET", "/" + full.replace("/", "%2f")).status_code in {400, 404}
    assert everything() == before


@pytest.mark.parametrize("name", PROTOTYPES)
def test_such_a_version_tag_user_or_registry_is_refused_or_ordinary(team: Team, name: str) -> None:
    team.publish("left")
    before = everything()
    assert team.send("bob", "PUT", "/left", document_as("left", name)).status_code == 400
    assert team.send("rita", "GET", f"/left/{name}").status_code == 404
    assert team.send("rita", "GET", f"/left/-/{name}.tgz").status_code == 404
    assert team.send("rita", "GET", f"/-/user/org.couchdb.user:{name}").status_code == 404
    for path in (f"/{name}/r/main/left", f"/{team.slug}/r/{name}/left"):
        assert Client().get(path, HTTP_AUTHORIZATION=f"Bearer {team.tokens['rita']}").status_code == 404
    assert everything() == before
    tagged = team.send("bob", "PUT", f"/-/package/left/dist-tags/{name}", b'"1.0.0"')
    assert tagged.status_code == (201 if name in TAGS else 400)
    if name in TAGS:
        assert team.send("rita", "GET", "/-/package/left/dist-tags").json() == {"latest": "1.0.0", name: "1.0.0"}
        assert team.send("rita", "GET", f"/left/{name}").json()["version"] == "1.0.0"
    else:
        assert everything() == before


def test_such_keys_inside_a_package_are_data(team: Team) -> None:
    odd = dict.fromkeys(PROTOTYPES, "1")
    packed = pack("inside", dependencies=odd, scripts=odd)
    assert team.send("bob", "PUT", "/inside", publish_document(packed)).status_code == 201
    assert team.send("rita", "GET", "/inside").json()["versions"]["1.0.0"]["dependencies"] == odd


LOOK_ALIKE = [
    "LEFT",
    "Left",
    "\u217ceft",
    "left\u200b",
    "le\u0301ft",
    "left\u00ad",
    "\uff4ceft",
    ".left",
    "_left",
    " left",
    "left ",
    "le\tft",
]


@pytest.mark.parametrize("name", [*LOOK_ALIKE, "x" * 215, "@acme/" + "x" * 209, "node_modules", "favicon.ico"])
def test_a_new_name_meets_npms_rule(team: Team, name: str) -> None:
    before = everything()
    answer = team.send("bob", "PUT", "/stand-in", document_as(name))
    assert answer.status_code == 400, answer.content
    assert everything() == before


@pytest.mark.parametrize(
    "text", ["1." * 15_000, "1.0.0-" + "0" * 30_000, "1.0.0-" + "a." * 15_000, "1.0.0+" + "-" * 30_000, "9" * 30_000 + ".0.0"]
)
def test_a_very_long_version_is_refused_before_it_is_parsed(team: Team, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    class Short:
        """The grammar, for what is short enough."""

        def fullmatch(self, version: str) -> Any:
            assert len(version) <= versions.LENGTH
            return strict.fullmatch(version)

    strict = versions.STRICT
    document = document_as("left", text)
    before = everything()
    monkeypatch.setattr(versions, "STRICT", Short())
    answer = team.send("bob", "PUT", "/left", document)
    assert (answer.status_code, len(answer.content) < 1000) == (400, True)
    assert everything() == before


@pytest.mark.parametrize(
    "claimed", ["1" * 200, "0" * 200 + ".0.0", ">=1 <2 || *", "1.0.0 || 2.0.0", "^1.0.0", "latest", "git+ssh://x", "1.0.0\n"]
)
def test_a_range_is_no_version(team: Team, claimed: str) -> None:
    before = everything()
    assert team.send("bob", "PUT", "/left", document_as("left", claimed)).status_code == 400
    assert everything() == before


def with_attachment(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    next(iter(document["_attachments"].values())).update(changes)
    return document


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "left-1.0.0.tgz\0", "/left-1.0.0.tgz", "other-1.0.0.tgz", "", "%2e%2e", "left-1.0.0.tgz/", "__proto__"]
)
def test_no_name_of_an_attachment_becomes_a_path(team: Team, name: str) -> None:
    document = publish_document(pack("left"))
    document["_attachments"] = {name: next(iter(document["_attachments"].values()))}
    before = everything()
    answer = team.send("bob", "PUT", "/left", document)
    assert (answer.status_code, everything()) == (400, before), answer.content


@pytest.mark.parametrize("length", [0, -1, 1, 10**30, "5", None, 1.5, [], True])
def test_a_length_that_is_not_the_bytes_is_refused(team: Team, length: Any) -> None:
    before = everything()
    answer = team.send("bob", "PUT", "/left", with_attachment(publish_document(pack("left")), length=length))
    assert (answer.status_code, everything()) == (400, before), answer.content


RAW: dict[str, bytes] = {
    "a number of a million digits": b'{"name":"left","x":' + b"9" * 1_000_000 + b"}",
    "an exponent": b'{"name":"left","x":1e999999999}',
    "NaN": b'{"name":"left","x":NaN}',
    "NUL in the name": b'{"name":"le\\u0000ft"}',
    "a raw NUL": b'{"name":"le\x00ft"}',
    "half a surrogate": b'{"name":"\\ud800","_id":"\\ud800"}',
    "the same key twice": b'{"name":"left","name":"other"}',
    "a hundred thousand levels": b'{"name":"left","x":' + b'{"x":' * 100_000 + b"1" + b"}" * 100_001,
    "a million keys": b'{"name":"left",' + b",".join(b'"k%d":1' % n for n in range(1_000_000)) + b"}",
    "a million values": b'{"name":"left","x":[' + b"[]," * 1_000_000 + b"1]}",
}


@pytest.mark.parametrize("case", RAW)
def test_a_body_made_to_hurt_costs_little(team: Team, case: str) -> None:
    before = everything()
    tracemalloc.start()
    try:
        answer = team.send("bob", "PUT", "/left", RAW[case])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, everything()) == (413 if case == "a million values" else 400, before), answer.content[:300]
    assert peak < len(RAW[case]) * 4 + 20 * 1024 * 1024, f"{peak:,}"


def test_what_a_client_claims_of_trust_is_rewritten(team: Team) -> None:
    packed = pack("claims")
    document = publish_document(
        packed, internal=False, trusted=True, _rev="999-x", maintainers=[{"name": "root"}], users={"root": True}, time={"1.0.0": "1999"}
    )
    said = document["versions"]["1.0.0"]
    said |= {"_npmUser": {"name": "root", "email": "r@example.org"}, "internal": False, "trusted": True, "maintainers": [{"name": "root"}]}
    said["dist"] |= {
        "tarball": "http://evil.example.org/x.tgz",
        "signatures": [{"keyid": "x", "sig": "y"}],
        "attestations": {"url": "http://evil.example.org"},
    }
    assert team.send("bob", "PUT", "/claims", document).status_code == 201
    answer = team.send("rita", "GET", "/claims")
    shown = answer.json()["versions"]["1.0.0"]
    assert b"evil" not in answer.content
    assert b"root" not in answer.content
    assert (shown["_npmUser"]["name"], shown["dist"]["tarball"]) == (
        "bob",
        f"http://testserver/{team.slug}/r/main/claims/-/claims-1.0.0.tgz",
    )
    assert [key for key in ("internal", "trusted") if key in shown] == []
    assert Version.objects.get().is_internal, "internal is what the registry says"
    assert [one["sig"] for one in shown["dist"].get("signatures", [])] != ["y"]
    assert json.loads(json.dumps(shown))["dist"]["integrity"] == packed.integrity
