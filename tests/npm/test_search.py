"""Search over the registry's own packages: shape, rank, qualifiers, pages, who sees what, hostile questions."""

import time
from typing import Any

import pytest
from django.db import connection

from packages.models import Package, SearchEntry, SearchWord, Tombstone, Version
from packages.services.listing import list_missing
from packages.services.versions import deprecate, set_internal, set_tag, unpublish_package, unpublish_version
from registries.models import Registry, RestrictedName
from tests.npm.outside import names
from tests.npm.team import Team, facts
from tokens.services.issue import Wish, create_token
from workspaces.services.spaces import add_claim

CLIENT = "size=20&from=0&quality=0.65&popularity=0.98&maintenance=0.5"


def search(team: Team, text: str, who: str = "rita", *, size: int = 20, start: int = 0) -> Any:
    return team.send(who, "GET", f"/-/v1/search?text={text}&size={size}&from={start}")


def pulled(team: Team, name: str, version: str = "1.0.0") -> None:
    """As if it had been pulled from outside."""
    team.publish(name, version, who="alice")
    Version.objects.filter(package__name=name).update(origin="pulled", is_internal=False)
    relist(name)


def relist(name: str) -> None:
    SearchEntry.objects.filter(package__name=name).delete()
    assert list_missing() == 1


def test_a_result_has_what_npm_reads(team: Team) -> None:
    team.publish(
        "@acme/left-pad", "1.2.0", keywords=["pad", "string tools"], license="MIT", homepage="https://example.org", author="Ann <a@b>"
    )
    answer = team.send("rita", "GET", f"/-/v1/search?text=pad&{CLIENT}")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    body = answer.json()
    package = body["objects"][0]["package"]
    assert (body["total"], bool(body["time"])) == (1, True)
    assert (package["name"], package["scope"], package["version"]) == ("@acme/left-pad", "acme", "1.2.0")
    assert package["maintainers"] == [{"username": "bob", "email": ""}]
    assert (package["publisher"]["username"], package["author"], package["license"]) == ("bob", {"name": "Ann"}, "MIT")
    assert (package["keywords"], package["links"]) == (["pad", "string tools"], {"homepage": "https://example.org"})
    assert package["date"].endswith("Z")
    assert package["description"] == "@acme/left-pad for tests"


def test_the_best_comes_first(team: Team) -> None:
    team.publish("zeta", description="draws a chart")
    team.publish("eta", keywords=["chart"])
    team.publish("my-chart")
    team.publish("charting-tools")
    team.publish("@acme/chart")
    team.publish("chart")
    team.publish("unrelated")
    assert names(search(team, "chart")) == ["chart", "@acme/chart", "charting-tools", "my-chart", "eta", "zeta"]
    assert names(search(team, "my%20chart")) == ["my-chart"]
    assert names(search(team, "chart%20draws")) == ["zeta"]
    assert names(search(team, "CHART%20boost-exact:false"))[0] in {"chart", "@acme/chart", "my-chart"}


QUALIFIED: list[tuple[str, list[str]]] = [
    ("keywords:red,blue", ["one", "three", "two"]),
    ("keywords:red%2Bblue", ["three"]),
    ("keywords:red,-blue", ["one"]),
    ("keywords:red%20paint", ["one"]),
    ("scope:acme", ["@acme/four"]),
    ("scope:@acme", ["@acme/four"]),
    ("author:ann", ["@acme/four"]),
    ("maintainer:alice", ["five"]),
    ("maintainer:=alice", ["five"]),
    ("is:unstable", ["five"]),
    ("not:unstable%20keywords:red", ["one", "three"]),
    ("is:deprecated", ["two"]),
    ("not:deprecated%20keywords:blue", ["three"]),
    ("is:insecure", []),
    ("not:insecure%20scope:acme", ["@acme/four"]),
    ("keywords:", []),
]


def test_qualifiers(team: Team) -> None:
    team.publish("one", keywords=["red"], description="paint")
    team.publish("two", keywords=["blue"])
    team.publish("three", keywords=["red", "blue"])
    team.publish("@acme/four", author={"name": "Ann"})
    team.publish("five", "0.9.0", who="alice")
    deprecate(actor=team.actor("bob"), registry=team.registry, format="npm", name="two", messages={"1.0.0": "old"})
    for text, found in QUALIFIED:
        assert names(search(team, text)) == found, text


def test_pages(team: Team) -> None:
    for number in range(7):
        team.publish(f"page-{number}")
    every = [f"page-{number}" for number in range(7)]
    for text in ("page", ""):
        assert names(search(team, text)) == every
        for start in range(0, 9, 3):
            answer = search(team, text, size=3, start=start)
            assert (names(answer), answer.json()["total"]) == (every[start : start + 3], 7)
    assert (names(search(team, "page", size=0)), search(team, "page", size=0).json()["total"]) == ([], 7)
    assert len(names(search(team, "page", size=10**9))) == 7


ODD = ("size=-1", "size=abc", "size=1e9", "size=%00", "from=-1", "from=1000000000", "from=x", "quality=x", "maintenance=nan")
HOSTILE = ("%25", "_", "*****", "%00", "z_ft", "z%25", "ze%00ft", "%F0%9F%92%A9", "'", '"', "\\", "!", "%FF", "a%20" * 120, "(((", "[a-z]+")


def test_odd_numbers_and_long_texts_are_refused(team: Team) -> None:
    team.publish("left")
    before = facts()
    for query in (*ODD, "popularity=-1", "text=" + "x" * 10_000):
        answer = team.send("rita", "GET", f"/-/v1/search?{query}")
        assert (answer.status_code, answer.json()["error"][-1]) == (400, "."), query[:40]
    assert facts() == before


def test_hostile_texts_find_what_their_letters_find(team: Team) -> None:
    team.publish("left")
    for text in HOSTILE:
        begun = time.monotonic()
        assert names(search(team, text)) == [], text
        assert time.monotonic() - begun < 2


def test_no_statement_is_given_a_sign_that_postgresql_refuses(team: Team) -> None:
    team.publish("left")
    given: list[object] = []

    def noted(execute: Any, sql: str, params: Any, *more: Any) -> Any:
        given.extend(params or ())
        return execute(sql, params, *more)

    with connection.execute_wrapper(noted):
        assert names(search(team, "le%00ft")) == []
        assert names(search(team, "le%00")) == ["left"]
    assert b"t:le" in given
    assert [one for one in given if isinstance(one, str) and "\0" in one] == []


def test_words_of_other_alphabets(team: Team) -> None:
    team.publish("greek", description="Ελληνικά ΛΈΞΕΙΣ", keywords=["日本語"])
    for text in ("ελλην", "λέξεισ", "日本"):
        assert names(search(team, text)) == ["greek"]


def test_search_follows_every_change(team: Team) -> None:
    bob, alice = team.actor("bob"), team.actor("alice")
    team.publish("left", "1.0.0", description="first words")
    team.publish("left", "2.0.0", description="second words")
    assert (names(search(team, "first")), names(search(team, "second"))) == ([], ["left"])
    team.publish("left", "3.0.0-beta", description="third words", tag="next")
    assert names(search(team, "third")) == []
    set_tag(actor=bob, registry=team.registry, format="npm", name="left", tag="latest", version="1.0.0")
    assert (names(search(team, "first")), names(search(team, "second"))) == (["left"], [])
    unpublish_version(actor=alice, registry=team.registry, format="npm", name="left", version="1.0.0")
    assert search(team, "left").json()["objects"][0]["package"]["version"] == "2.0.0"
    unpublish_package(actor=alice, registry=team.registry, format="npm", name="left")
    assert names(search(team, "left")) == []
    assert not SearchWord.objects.filter(registry_id=team.registry.pk).exists()


def test_shadowed_versions_are_not_shown(team: Team) -> None:
    for name in ("plain", "claimed-one", "buried", "elsewhere"):
        pulled(team, name)
    assert len(names(search(team, ""))) == 4
    add_claim(actor=team.actor("alice"), workspace=team.space, pattern="claimed-*")
    Tombstone.objects.create(workspace=team.space, format="npm", name="buried", reason="published once")
    other = Registry.objects.create(workspace=team.space, slug="other")
    twin = Package.objects.create(registry=other, format="npm", name="elsewhere", folded="elsewhere")
    Version.objects.create(package=twin, version="9.0.0", manifest=b"{}", is_internal=True, origin="published", integrity="x")
    answer = search(team, "")
    assert (names(answer), answer.json()["total"]) == (["plain"], 1)
    for name in ("claimed-one", "buried", "elsewhere"):
        assert names(search(team, name)) == []
    set_internal(actor=team.actor("alice"), registry=team.registry, format="npm", name="buried", version="1.0.0", internal=True)
    assert names(search(team, "buried")) == ["buried"]


def test_the_teams_own_version_is_shown_over_a_pulled_one(team: Team) -> None:
    pulled(team, "mixed", "9.0.0")
    team.publish("mixed", "1.0.0", description="ours")
    assert search(team, "mixed").json()["objects"][0]["package"]["version"] == "1.0.0"


def test_a_token_finds_only_what_it_may_read(team: Team) -> None:
    for name in ("@acme/one", "@other/one", "one"):
        team.publish(name)
    for scopes, found in (
        (["npm:package:@acme/*:read"], ["@acme/one"]),
        (["npm:package:o?e:write"], ["one"]),
        (["npm:package:@*:delete"], None),
        (["oci:repository:*:pull"], []),
        (["npm:package:100%:read"], []),
        ([], None),
    ):
        token = create_token(actor=team.actor("bob"), wish=Wish(name="narrow", scopes=scopes)).secret
        answer = search(team, "one", token)
        if found is None:
            assert answer.status_code == 403
        else:
            assert (names(answer), answer.json()["total"]) == (found, len(found))


def test_restricted_names_of_a_public_registry_are_for_members(team: Team) -> None:
    team.publish("open-one")
    team.publish("kept-one")
    Registry.objects.filter(pk=team.registry.pk).update(visibility="public")
    RestrictedName.objects.create(registry=team.registry, format="npm", name="kept-one")
    for who in ("", "mallory"):
        answer = search(team, "one", who)
        assert (names(answer), answer.json()["total"]) == (["open-one"], 1)
        assert "kept" not in answer.content.decode()
    assert names(search(team, "one")) == ["kept-one", "open-one"]


def test_another_workspace_is_never_searched(team: Team) -> None:
    other = Team()
    other.publish("canary-of-another-workspace")
    assert names(search(team, "canary")) == []
    assert names(search(other, "canary")) == ["canary-of-another-workspace"]


def test_nobody_searches_a_private_registry(team: Team) -> None:
    team.publish("left")
    for path in ("/-/v1/search?text=left", "/-/v1/search?text=nothing", "/-/all"):
        assert team.send("", "GET", path).status_code == 401
        assert team.send("mallory", "GET", path).status_code == 404


def test_the_old_list_says_where_search_is(team: Team) -> None:
    for path in ("/-/all", "/-/all/since?startkey=1"):
        answer = team.send("rita", "GET", path)
        assert (answer.status_code, "/-/v1/search" in answer.json()["error"]) == (404, True)


def test_a_search_that_takes_too_long_is_ended(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    team.publish("left")
    monkeypatch.setattr("packages.search.TIME_LIMIT", -1.0)
    monkeypatch.setattr("packages.search.STEPS", 1)
    answer = search(team, "left")
    assert (answer.status_code, "too long" in answer.json()["error"]) == (400, True)
    monkeypatch.undo()
    assert names(search(team, "left")) == ["left"]
