"""Tarballs under every address that old lock files and old packages have, and none under another's."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.parts.gate import Gate, Place
from tests.parts.pack import Packed, pack, tar_gz
from tests.parts.recorder import Handler, Recorder

pytestmark = pytest.mark.parametrize("gate", ["sqlite"], indirect=True)  # addresses, whatever the database


class Old:
    """An upstream whose tarballs lie wherever it likes."""

    def __init__(self, recorder: Recorder, other: Recorder) -> None:
        self.recorder, self.other = recorder, other
        self.files: dict[str, bytes] = {}
        for one in (recorder, other):
            for where in ("packument", "tarball"):
                one.misbehave("*", self._answer, where=where)

    def offer(self, packed: Packed, address: str, *, elsewhere: bool = False) -> Packed:
        """Offer it with the tarball at `address` (path and query), on the other host if `elsewhere`."""
        self.files[address] = packed.tarball
        host = self.other if elsewhere else self.recorder
        return self.recorder.offer(packed, tarball=f"{host.url}{address}")

    def _answer(self, handler: Handler, answer: Any) -> None:
        if handler.path in self.files:
            handler.send(200, self.files[handler.path], content_type="application/octet-stream")
        else:
            answer()


@pytest.fixture
def old(place: Place, recorder: Recorder, other_recorder: Recorder) -> Old:
    place.upstream(recorder)
    return Old(recorder, other_recorder)


def bytes_at(place: Place, path: str) -> bytes | int:
    """The bytes, or the status of the refusal."""
    answer = place.as_("rita").get(path)
    return answer.body if answer.status == 200 else answer.status


def rewritten(packed: Packed, **manifest: Any) -> Packed:
    """The same with another package.json, in the tarball too."""
    document = {**packed.manifest, **manifest}
    files = {"package/package.json": json.dumps(document).encode(), "package/index.js": b"1"}
    return replace(packed, manifest=document, tarball=tar_gz(files))


@pytest.mark.parametrize(
    ("address", "file", "elsewhere"),
    [
        ("/old/-/old-v1.0.0.tgz", "old-v1.0.0.tgz", False),
        ("/old/-/0123456789abcdef.tgz", "0123456789abcdef.tgz", False),
        ("/old/-/0123456789abcdef", "0123456789abcdef", False),
        ("/old/-/old-1.0.0.tar.gz", "old-1.0.0.tar.gz", False),
        ("/some/where/else/1.0.0.tgz", "1.0.0.tgz", False),
        ("/dl/old%20one.tgz", "old%20one.tgz", False),
        ("/dl/x.tgz?signature=abc&expires=1", "x.tgz", True),
        ("/old/-/old-1.0.0.tgz?cache=0", "old-1.0.0.tgz", False),
    ],
)
def test_upstreams_own_file_names(place: Place, old: Old, address: str, file: str, elsewhere: bool) -> None:  # noqa: FBT001 - a table
    packed = old.offer(pack("old"), address, elsewhere=elsewhere)
    assert bytes_at(place, f"/old/-/{file}") == packed.tarball
    assert bytes_at(place, f"/old/-/{file}?x=1") == packed.tarball
    shown = place.as_("rita").get("/old").json()["versions"]["1.0.0"]["dist"]
    assert shown["tarball"] == f"{place.url}old/-/old-1.0.0.tgz"
    assert bytes_at(place, "/old/-/old-1.0.0.tgz") == packed.tarball
    assert bytes_at(place, "/old/-/old-9.9.9.tgz") == 404
    assert place.gate.events(place, "version.pulled") == ["version.pulled"]


def test_a_file_name_of_several_versions_names_none(place: Place, old: Old) -> None:
    one, two = old.offer(pack("old", "1.0.0"), "/a/file.tgz"), old.offer(pack("old", "2.0.0"), "/b/file.tgz")
    assert bytes_at(place, "/old/-/file.tgz") == 404
    assert (bytes_at(place, "/old/-/old-1.0.0.tgz"), bytes_at(place, "/old/-/old-2.0.0.tgz")) == (one.tarball, two.tarball)


def test_a_file_name_of_another_version_is_that_version(place: Place, old: Old) -> None:
    two = old.offer(pack("old", "2.0.0"), "/x/old-1.0.0.tgz")
    one = old.offer(pack("old", "1.0.0"), "/old/-/old-1.0.0.tgz")
    assert (bytes_at(place, "/old/-/old-1.0.0.tgz"), bytes_at(place, "/old/-/old-2.0.0.tgz")) == (one.tarball, two.tarball)


def test_versions_spelled_the_old_way(place: Place, old: Old) -> None:
    for number, said in (("1.0.0", "v1.0.0"), ("1.0.1", "=1.0.1"), ("1.0.2", " v1.0.2 ")):
        packed = rewritten(pack("old", number), version=said)
        old.offer(packed, f"/old/-/old-{number}.tgz")
        assert bytes_at(place, f"/old/-/old-{number}.tgz") == packed.tarball, said
        place.gate.grow_old()
    versions = place.as_("rita").get("/old").json()["versions"]
    assert {number: one["version"] for number, one in versions.items()} == {number: number for number in ("1.0.0", "1.0.1", "1.0.2")}


def test_versions_that_are_none_are_left_out(place: Place, old: Old) -> None:
    for number in ("1.0.0", "1.0", "v2.0.0", "3.0.0.0", "01.0.0"):
        old.offer(pack("old", number), f"/old/-/old-{number}.tgz")
    document = place.as_("rita").get("/old").json()
    assert (list(document["versions"]), document["dist-tags"]) == (["1.0.0"], {"latest": "1.0.0"})
    assert bytes_at(place, "/old/-/old-v2.0.0.tgz") == 404


def test_build_metadata(place: Place, old: Old) -> None:
    packed = old.offer(pack("old", "1.0.0+build.5"), "/old/-/old-1.0.0+build.5.tgz")
    for file in ("old-1.0.0+build.5.tgz", "old-1.0.0%2Bbuild.5.tgz", "old-1.0.0%2bbuild.5.tgz"):
        assert bytes_at(place, f"/old/-/{file}") == packed.tarball
    assert bytes_at(place, "/old/-/old-1.0.0.tgz") == 404


@pytest.mark.parametrize("name", ["JSONStream", "Base64", "constructor", "hasOwnProperty", "prototype", "x.y_z~", "it's", "f*"])
def test_names_of_another_age(place: Place, old: Old, name: str) -> None:
    from urllib.parse import quote

    packed = old.offer(pack(name), f"/{quote(name)}/-/{quote(name)}-1.0.0.tgz")
    assert place.as_("rita").get(f"/{quote(name)}").json()["name"] == name
    assert bytes_at(place, f"/{quote(name)}/-/{quote(name)}-1.0.0.tgz") == packed.tarball
    if name != name.lower():
        assert place.as_("rita").get(f"/{name.lower()}").status == 404


@pytest.mark.parametrize("name", ["node_modules", "favicon.ico", "_old", ".old", "__proto__"])
def test_names_that_nobody_has(place: Place, old: Old, name: str) -> None:
    with place.gate.unchanged():
        for path in (f"/{name}", f"/{name}/-/{name}-1.0.0.tgz"):
            assert place.as_("rita").get(path).status in {400, 404}
    assert old.recorder.seen == []


SCOPED = [
    "/@acme/bar/-/bar-1.0.0.tgz",
    "/@acme%2fbar/-/bar-1.0.0.tgz",
    "/@acme%2Fbar/-/bar-1.0.0.tgz",
    "/@acme/bar/-/@acme/bar-1.0.0.tgz",
    "/@acme%2fbar/-/@acme%2fbar-1.0.0.tgz",
    "/%40acme%2fbar/-/bar-1.0.0.tgz",
    "/@acme/bar/-/bar-1.0.0.tgz?cache=17",
    "/api/npm/npm-repo/@acme/bar/-/@acme/bar-1.0.0.tgz",
    "/repository/npm/@acme/bar/-/bar-1.0.0.tgz",
    "/repository/npm/@acme%2fbar/-/bar-1.0.0.tgz",
    "/{ws}/r/main/@acme/bar/-/bar-1.0.0.tgz",
    "/{ws}/r/long-gone/@acme/bar/-/bar-1.0.0.tgz",
    "/{ws}/r/main/repository/npm/@acme/bar/-/bar-1.0.0.tgz",
]


def test_every_form_of_an_address(place: Place) -> None:
    packed = pack("@acme/bar")
    place.publish(packed)
    for path in SCOPED:
        asked = path.format(ws=place.slug)
        assert bytes_at(place, asked) == packed.tarball, path
        assert place.as_("").get(asked).status == 401
        assert place.as_("mallory").get(asked).status == 404


NONE = [
    "/{other}/r/main/@acme/bar/-/bar-1.0.0.tgz",
    "/{other}/r/main/{ws}/r/main/@acme/bar/-/bar-1.0.0.tgz",
    "/{ws}/r/main/{ws}/r/main/@acme/bar/-/bar-1.0.0.tgz",
    "/@other/thing/@acme/bar/-/bar-1.0.0.tgz",
    "/-/x/@acme/bar/-/bar-1.0.0.tgz",
    "/bar/-/x/@acme/bar/-/bar-1.0.0.tgz",
    "/a/b/c/d/e/f/g/h/i/@acme/bar/-/bar-1.0.0.tgz",
    "/api/npm/npm-repo/bar/-/bar-1.0.0.tgz",
    "/api/npm/npm-repo/@acme/bar",
    "/@acme/bar/-/bar-1.0.0.tgz/more",
    "/@acme/bar/-/",
    "/@acme/bar/-/..%2fbar-1.0.0.tgz",
]


def test_what_is_no_address_of_it(place: Place, gate: Gate) -> None:
    """Another workspace's prefix, a scope, npm's own `-`, too much, or a name that is not the whole one."""
    place.publish(pack("@acme/bar"))
    other = gate.globex()
    with gate.unchanged():
        for path in NONE:
            assert bytes_at(place, path.format(ws=place.slug, other=other.slug)) == 404, path


def test_a_prefix_never_hides_a_package(place: Place) -> None:
    """Packages called like what other products have in their addresses are still themselves."""
    packed = {name: pack(name) for name in ("api", "repository", "npm", "r", place.slug)}
    for one in packed.values():
        place.publish(one)
    for name, one in packed.items():
        assert bytes_at(place, f"/{name}/-/{name}-1.0.0.tgz") == one.tarball
        assert place.as_("rita").get(f"/{name}/1.0.0").json()["name"] == name
    assert bytes_at(place, "/api/npm/-/npm-1.0.0.tgz") == packed["npm"].tarball
    assert place.as_("rita").get(f"/{place.slug}/r/main").status == 404


def test_writes_by_a_doubled_prefix(place: Place) -> None:
    doubled = f"/{place.slug}/r/gone"
    place.publish(pack("twice", "1.0.0"))
    place.publish(pack("twice", "1.1.0"))
    alice, rev = place.as_("alice"), place.as_("alice").get("/twice?write=true").json()["_rev"]
    with place.gate.unchanged():
        assert place.as_("bob").request("DELETE", f"{doubled}/twice/-/twice-1.1.0.tgz/-rev/{rev}").status == 403
        assert place.as_("").request("DELETE", f"{doubled}/twice/-/twice-1.1.0.tgz/-rev/{rev}").status == 401
    assert alice.request("DELETE", f"{doubled}/twice/-/twice-1.1.0.tgz/-rev/{rev}").status == 200
    assert place.versions("twice") == ["1.0.0"]
