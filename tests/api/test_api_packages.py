"""Packages, versions, tags, tombstones, the trace."""

import hashlib
from typing import Any

import pytest

from packages.models import Tombstone, Version
from registries.models import Registry
from tests.api.cast import FOO, MAIN, PACKAGES, Cast, census
from tests.parts.pack import pack
from upstreams.models import Origin

VERSION_FIELDS = {"version", "internal", "origin", "upstream", "integrity", "size", "created_at", "published_by", "deprecated", "yanked"}
VERSION_FIELDS |= {"differences", "sha256"}
SPELLINGS = [FOO, MAIN + "packages/npm/@acme%2ffoo/", MAIN + "packages/npm/@acme%2Ffoo/", MAIN + "packages/npm/%40acme%2ffoo/"]


def names(cast: Cast, query: str = "", who: str = "rita", path: str = PACKAGES) -> list[str]:
    return [one["name"] for one in cast.get(path + query, who)["results"]]


def test_lists_filter_by_format_text_and_flag(cast: Cast) -> None:
    Version.objects.filter(package__name="plain").update(is_internal=False)
    assert names(cast) == ["@acme/foo", "plain"]
    assert names(cast, "?format=npm") == ["@acme/foo", "plain"]
    assert names(cast, "?format=oci") == []
    assert names(cast, "?search=FOO") == ["@acme/foo"]
    assert names(cast, "?internal=true") == ["@acme/foo"]
    assert names(cast, "?internal=false&search=pla") == ["plain"]
    assert names(cast, "npm/") == ["@acme/foo", "plain"]
    assert names(cast, "npm/?internal=false") == ["plain"]
    assert names(cast, "oci/") == []
    assert cast.call("rita", "GET", PACKAGES + "cargo/").status_code == 404


def test_a_scoped_token_is_told_no_other_names(cast: Cast) -> None:
    assert names(cast, who="scoped") == ["@acme/foo"]
    assert cast.call("scoped", "GET", PACKAGES + "npm/plain/").status_code == 403
    assert cast.call("scoped", "GET", PACKAGES + "oci/").status_code == 403


@pytest.mark.parametrize("path", SPELLINGS)
def test_every_spelling_of_a_scoped_name(cast: Cast, path: str) -> None:
    shown = cast.get(path, "rita")
    assert {key: shown[key] for key in ("format", "name", "latest", "internal", "version_count")} == {
        "format": "npm", "name": "@acme/foo", "latest": "1.0.0", "internal": True, "version_count": 2,
    }  # fmt: skip
    assert [one["version"] for one in cast.get(path + "versions/", "rita")["results"]] == ["2.0.0", "1.0.0"]
    assert cast.get(path + "versions/1.0.0/", "rita")["version"] == "1.0.0"
    assert cast.get(path + "versions/1.0.0", "rita")["version"] == "1.0.0"
    assert {one["name"]: one["version"] for one in cast.get(path + "tags/", "rita")["results"]} == {"latest": "1.0.0", "beta": "2.0.0"}
    assert cast.get(path + "resolution/", "rita")["name"] == "@acme/foo"
    assert cast.call("rita", "GET", path + "tombstone/").status_code == 404


def test_a_version_in_the_words_of_the_contract(cast: Cast) -> None:
    shown = cast.get(FOO + "versions/1.0.0/", "rita")
    assert set(shown) == VERSION_FIELDS
    packed = pack("@acme/foo", "1.0.0")
    assert (shown["integrity"], shown["size"]) == (packed.integrity, len(packed.tarball))
    assert shown["sha256"] == hashlib.sha256(packed.tarball).hexdigest()
    assert (shown["origin"], shown["upstream"], shown["published_by"], shown["internal"]) == ("published", None, "bob", True)
    assert (shown["deprecated"], shown["yanked"]) == ("", False)
    version = Version.objects.get(package__name="@acme/foo", version="1.0.0")
    Origin.objects.create(version=version, upstream=cast.upstream, upstream_name="npm", address="x")
    assert cast.get(FOO + "versions/1.0.0/", "rita")["upstream"] == "npm"
    assert [one["upstream"] for one in cast.get(FOO + "versions/", "rita")["results"]] == [None, "npm"]


def test_the_toggle_of_a_version_is_one_event(cast: Cast) -> None:
    answer = cast.call("adam", "PATCH", FOO + "versions/1.0.0/", {"internal": False})
    assert (answer.status_code, answer.json()["internal"]) == (200, False)
    events = cast.get("/api/v1/workspaces/acme/events/", "adam")["results"]
    assert (events[0]["action"], events[0]["old"], events[0]["new"]) == ("version.internal", {"internal": True}, {"internal": False})
    before = census()
    assert cast.call("adam", "PATCH", FOO + "versions/1.0.0/", {"internal": False}).status_code == 200
    assert census()["workspaces.Event"] == before["workspaces.Event"]


def test_a_publisher_deprecates_but_does_not_toggle(cast: Cast) -> None:
    path = FOO + "versions/1.0.0/"
    assert cast.call("bob", "PATCH", path, {"deprecated": "use 2"}).json()["deprecated"] == "use 2"
    assert cast.call("bob", "PATCH", path, {"deprecated": None}).json()["deprecated"] == ""
    before = census()
    assert cast.call("bob", "PATCH", path, {"deprecated": "no", "internal": False}).status_code == 403
    assert census() == before
    both = cast.call("adam", "PATCH", path, {"deprecated": "old", "internal": False}).json()
    assert (both["deprecated"], both["internal"]) == ("old", False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"internal": "no"}, "internal"),
        ({"internal": None}, "internal"),
        ({"deprecated": 5}, "deprecated"),
        ({"deprecated": "x" * 4097}, "deprecated"),
        ({"deprecated": "a\x00"}, "deprecated"),
        ({"size": 1}, "size"),
        ({"yanked": True}, "yanked"),
    ],
)
def test_changes_a_version_does_not_take(cast: Cast, change: dict[str, Any], field: str) -> None:
    before = census()
    answer = cast.call("adam", "PATCH", FOO + "versions/1.0.0/", change)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert census() == before


def test_deleting_a_version_and_a_package(cast: Cast) -> None:
    assert cast.call("adam", "DELETE", FOO + "versions/2.0.0/").status_code == 204
    assert cast.call("adam", "DELETE", FOO + "versions/2.0.0/").status_code == 404
    assert cast.call("adam", "DELETE", FOO).status_code == 204
    assert cast.call("adam", "GET", FOO).status_code == 404
    stone = cast.get(FOO + "tombstone/", "rita")
    assert (stone["format"], stone["name"]) == ("npm", "@acme/foo")
    assert cast.call("adam", "DELETE", FOO + "tombstone/").status_code == 204
    assert cast.call("adam", "DELETE", FOO + "tombstone/").status_code == 404
    assert not Tombstone.objects.filter(name="@acme/foo").exists()


def test_tags_move_and_go(cast: Cast) -> None:
    moved = cast.call("bob", "PUT", FOO + "tags/next/", {"version": "1.0.0"})
    assert (moved.status_code, moved.json()) == (200, {"name": "next", "version": "1.0.0"})
    assert cast.call("bob", "DELETE", FOO + "tags/next/").status_code == 204
    assert cast.call("bob", "DELETE", FOO + "tags/next/").status_code == 404
    kept = cast.call("bob", "DELETE", FOO + "tags/latest/")
    assert (kept.status_code, kept.json()["code"]) == (409, "latest_tag_needed")


@pytest.mark.parametrize(
    ("tag", "body", "status"),
    [
        ("1.0.0", {"version": "1.0.0"}, 400),
        ("__proto__", {"version": "1.0.0"}, 400),
        ("a%20b", {"version": "1.0.0"}, 400),
        ("next", {"version": "9.9.9"}, 404),
        ("next", {}, 400),
        ("next", {"version": 1}, 400),
        ("next", {"version": "1.0.0", "tag": "x"}, 400),
    ],
)
def test_tags_that_cannot_be(cast: Cast, tag: str, body: dict[str, Any], status: int) -> None:
    before = census()
    assert cast.call("bob", "PUT", f"{FOO}tags/{tag}/", body).status_code == status
    assert census() == before


@pytest.mark.parametrize(
    "name",
    [
        "..",
        "%2e%2e",
        "@acme/..",
        "@acme%252ffoo",
        "__proto__",
        "favicon.ico",
        "a" * 215,
        "a%00b",
        "@%2f",
        "a%0ab",
        ".hidden",
        "_x",
        "é",
        "a%3cb",
        "%ff",
        "@acme%5cfoo",
    ],
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_names_that_cannot_be(cast: Cast, name: str, method: str) -> None:
    before = census()
    for rest in ("", "versions/", "versions/1.0.0/", "tags/", "resolution/", "tombstone/"):
        answer = cast.call("adam", method, f"{PACKAGES}npm/{name}/{rest}")
        assert answer.status_code in {400, 404, 405}, (rest, answer.content)
        assert "error" in answer.json()
    assert census() == before


def test_names_differ_by_case(cast: Cast) -> None:
    assert cast.call("rita", "GET", PACKAGES + "npm/@acme/Foo/").status_code == 404


@pytest.mark.parametrize("version", ["9.9.9", "latest", "1.0", "%00", "1.0.0%00", "x" * 300])
def test_versions_that_are_not_here(cast: Cast, version: str) -> None:
    for method in ("GET", "DELETE"):
        assert cast.call("adam", method, f"{FOO}versions/{version}/").status_code == 404
    assert cast.call("adam", "PATCH", f"{FOO}versions/{version}/", {"deprecated": "x"}).status_code == 404


def test_the_trace_explains_and_asks_nobody(cast: Cast) -> None:
    trace = cast.get(FOO + "resolution/", "rita")
    assert (trace["name"], trace["internal"]) == ("@acme/foo", True)
    assert trace["versions"] == {"1.0.0": "acme/main", "2.0.0": "acme/main"}
    assert [one["source"] for one in trace["sources"] if one["kind"] == "url"] == ["npm"]
    assert not any(one["asked"] for one in trace["sources"] if one["kind"] == "url")
    assert cast.get(PACKAGES + "npm/@acme/unborn/resolution/", "rita")["internal"] is True


def test_same_names_elsewhere_stay_apart(cast: Cast) -> None:
    cast.publish(pack("@acme/foo", "7.0.0"), registry=Registry.objects.get(pk=cast.other.pk), who="mallory")
    assert [one["version"] for one in cast.get(FOO + "versions/")["results"]] == ["2.0.0", "1.0.0"]
    assert cast.call("mallory", "GET", FOO).status_code == 404


def test_packages_are_found_by_the_words_of_the_page_too(cast: Cast) -> None:
    for query in ("search=FOO", "q=foo", "q=foo&internal=true", "format=npm&search=acme"):
        assert [one["name"] for one in cast.get(f"{MAIN}packages/?{query}")["results"]] == ["@acme/foo"], query
    assert cast.get(f"{MAIN}packages/npm/?q=plai")["count"] == 1
    assert cast.get(f"{MAIN}packages/?q=nothing-like-it")["count"] == 0


def test_an_unknown_query_parameter_is_told_from_the_known_ones(cast: Cast) -> None:
    answer = cast.call("alice", "GET", f"{MAIN}packages/?name=foo")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["name"])
    assert (
        "no such query parameter here; there are format, internal, ordering, page, page_size, q, search, source." in answer.json()["error"]
    )
    bare = cast.call("alice", "GET", f"{MAIN}upstreams/?search=x").json()["error"]
    assert "there are enabled, internal, kind, ordering, page, page_size." in bare
    assert "to write" not in bare
    body = cast.call("alice", "PATCH", FOO + "versions/1.0.0/", {"colour": "red"})
    assert "no such field to write" in body.json()["error"]


def test_visitors_do_not_hear_where_packages_come_from(cast: Cast) -> None:
    type(cast.main).objects.filter(pk=cast.main.pk).update(visibility="public")
    for source in ("own", cast.upstream.name, "nobody"):
        assert cast.call("nobody", "GET", f"{MAIN}packages/?source={source}").json()["count"] == 0, source
    assert cast.get(f"{MAIN}packages/?source=own", "rita")["count"] > 0
