"""Registries, upstreams, and what comes later."""

from typing import Any

import pytest

from registries.models import Registry
from tests.api.cast import ACME, MAIN, Cast, census
from upstreams.errors import UpstreamNotFound
from upstreams.models import Upstream
from upstreams.seal import unseal
from upstreams.services.checks import SecretRequired
from upstreams.services.sources import change_upstream

REGISTRIES = ACME + "registries/"
UPSTREAMS = MAIN + "upstreams/"
SWITCHES = [{name: wanted} for name in ("search_upstream", "audit_upstream") for wanted in (True, False)]
WISH = {"name": "second", "kind": "url", "format": "npm", "url": "https://registry.example.org", "priority": 5}


def test_a_registry_is_created_internal_and_private(cast: Cast) -> None:
    made = cast.call("adam", "POST", REGISTRIES, {"slug": "second"})
    assert made.status_code == 201
    fields = {"slug": "second", "description": "", "internal": True, "visibility": "private", "default": False}
    assert made.json() == {**fields, "search_upstream": False, "audit_upstream": False, "archived": False}
    assert cast.get(REGISTRIES + "second/") == made.json()
    assert [one["slug"] for one in cast.get(REGISTRIES)["results"]] == ["main", "second", "shelf"]
    again = cast.call("adam", "POST", REGISTRIES, {"slug": "second"})
    assert (again.status_code, again.json()["code"]) == (409, "registry_exists")


def test_a_registry_may_be_created_as_the_default(cast: Cast) -> None:
    made = cast.call("adam", "POST", REGISTRIES, {"slug": "second", "default": True, "internal": False, "visibility": "public"})
    assert (made.status_code, made.json()["default"], made.json()["internal"], made.json()["visibility"]) == (201, True, False, "public")
    assert cast.get(MAIN)["default"] is False


def test_settings_change_one_by_one(cast: Cast) -> None:
    cast.call("adam", "POST", REGISTRIES, {"slug": "second"})
    texts: tuple[dict[str, Any], ...] = ({"description": "Ours"}, {"description": ""}, {"visibility": "public"}, {})
    for change in ({"internal": False}, {"internal": True}, *texts, *SWITCHES):
        answer = cast.call("adam", "PATCH", REGISTRIES + "second/", change)
        assert (answer.status_code, {key: answer.json()[key] for key in change}) == (200, change)
    assert cast.call("adam", "PATCH", REGISTRIES + "second/", {"default": True}).json()["default"] is True
    assert Registry.objects.get(pk=cast.main.pk).is_default is False


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"internal": "false"}, "internal"),
        ({"internal": 0}, "internal"),
        ({"internal": None}, "internal"),
        ({"visibility": "secret"}, "visibility"),
        ({"visibility": ["public"]}, "visibility"),
        ({"description": "x" * 501}, "description"),
        ({"description": "a\x00"}, "description"),
        ({"description": 5}, "description"),
        ({"default": False}, "default"),
        ({"slug": "Not a slug"}, "slug"),
        ({"slug": ""}, "slug"),
        ({"workspace": "globex"}, "workspace"),
    ],
)
def test_settings_that_cannot_be(cast: Cast, change: dict[str, Any], field: str) -> None:
    before = census()
    answer = cast.call("adam", "PATCH", MAIN, change)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert census() == before


def test_a_token_held_to_another_registry_does_not_know_this_one(cast: Cast) -> None:
    cast.call("adam", "POST", REGISTRIES, {"slug": "second"})
    made = cast.call("alice", "POST", "/api/v1/tokens/", {"name": "second only", "registries": ["acme/second"]})
    cast.tokens["held"] = type(cast.service)(cast.service.token, made.json()["token"])
    assert [one["slug"] for one in cast.get(REGISTRIES, "held")["results"]] == ["second"]
    assert cast.call("held", "GET", MAIN).status_code == 404
    assert cast.call("held", "POST", REGISTRIES, {"slug": "third"}).status_code == 403


def test_an_upstream_with_a_secret_never_shows_it(cast: Cast) -> None:
    wish = {**WISH, "internal": True, "patterns": ["@Partner/*"], "auth_type": "basic", "username": "us", "secret": "s3cr3t "}
    made = cast.call("adam", "POST", UPSTREAMS, wish)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert {key: shown[key] for key in ("name", "priority", "enabled", "internal", "patterns", "auth_type", "username", "has_secret")} == {
        "name": "second", "priority": 5, "enabled": True, "internal": True, "patterns": ["@partner/*"],
        "auth_type": "basic", "username": "us", "has_secret": True,
    }  # fmt: skip
    assert "secret" not in shown
    path = f"{UPSTREAMS}{shown['id']}/"
    everything = (
        cast.call("adam", "GET", path).content
        + cast.call("adam", "GET", UPSTREAMS).content
        + cast.call("adam", "GET", ACME + "events/").content
    )
    assert b"s3cr3t" not in everything
    assert [one["name"] for one in cast.get(UPSTREAMS)["results"]] == ["second", "npm"]


def test_moving_an_upstream_drops_its_secret(cast: Cast) -> None:
    path = UPSTREAMS + str(cast.call("adam", "POST", UPSTREAMS, {**WISH, "auth_type": "bearer", "secret": "s3cr3t"}).json()["id"]) + "/"
    before = census()
    for url in ("http://registry.example.org", "https://other.example.org", "https://registry.example.org:8443"):
        refused = cast.call("adam", "PATCH", path, {"url": url})
        assert (refused.status_code, refused.json()["code"], list(refused.json()["fields"])) == (400, "secret_required", ["secret"])
    assert census() == before
    assert cast.call("adam", "PATCH", path, {"url": "https://registry.example.org/other/path"}).status_code == 200
    assert cast.call("adam", "PATCH", path, {"url": "https://other.example.org", "secret": "new"}).status_code == 200


def test_a_change_begun_before_another_puts_nothing_old_back(cast: Cast) -> None:
    alice, stale = cast.actor("alice"), Upstream.objects.get(pk=cast.upstream.pk)
    change_upstream(
        actor=alice, upstream=cast.upstream, changes={"url": "https://moved.example.org", "auth_type": "bearer", "secret": "theirs"}
    )
    changed = change_upstream(actor=alice, upstream=stale, changes={"priority": 7})
    assert (changed.url, changed.auth_type, changed.priority) == ("https://moved.example.org", "bearer", 7)
    assert unseal(bytes(changed.secret_sealed)) == "theirs"
    with pytest.raises(SecretRequired):  # it looked like no move to whoever read the row before
        change_upstream(actor=alice, upstream=stale, changes={"url": stale.url})
    Upstream.objects.all().delete()
    with pytest.raises(UpstreamNotFound):
        change_upstream(actor=alice, upstream=stale, changes={"priority": 8})


def test_the_toggle_of_an_upstream(cast: Cast) -> None:
    path = f"{UPSTREAMS}{cast.upstream.pk}/"
    answer = cast.call("adam", "PATCH", path, {"internal": True})
    assert (answer.status_code, answer.json()["internal"]) == (200, True)
    assert cast.call("adam", "PATCH", path, {"enabled": False, "priority": 0}).json()["enabled"] is False
    assert cast.call("adam", "PATCH", path, {}).status_code == 200
    assert cast.call("adam", "DELETE", path).status_code == 204
    assert cast.call("adam", "GET", path).status_code == 404
    assert not Upstream.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "No Good"}, "name"),
        ({"name": None}, "name"),
        ({"kind": "ftp"}, "kind"),
        ({"url": ""}, "url"),
        ({"url": "registry.example.org"}, "url"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://user:pw@registry.example.org"}, "url"),
        ({"url": "https://registry.example.org:99999"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "http://127.0.0.1:4873"}, "url"),
        ({"url": "http://169.254.169.254/latest"}, "url"),
        ({"url": "http://2130706433/"}, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "https://registry.example.org/" + "x" * 500}, "url"),
        ({"priority": -1}, "priority"),
        ({"priority": 10**30}, "priority"),
        ({"priority": "5"}, "priority"),
        ({"priority": 5.5}, "priority"),
        ({"priority": True}, "priority"),
        ({"enabled": "yes"}, "enabled"),
        ({"internal": 1}, "internal"),
        ({"patterns": "@acme/*"}, "patterns"),
        ({"patterns": ["a b"]}, "patterns"),
        ({"patterns": [5]}, "patterns.0"),
        ({"auth_type": "digest"}, "auth_type"),
        ({"auth_type": "bearer"}, "secret"),
        ({"auth_type": "bearer", "secret": "a\nb"}, "secret"),
        ({"auth_type": "basic", "secret": "x"}, "username"),
        ({"auth_type": "bearer", "secret": "x", "internal": True}, "patterns"),
        ({"auth_type": "bearer", "secret": "x", "internal": True, "patterns": ["*"]}, "patterns"),
        ({"auth_type": "bearer", "secret": "x", "internal": True, "patterns": ["@*/?*"]}, "patterns"),
        ({"auth_type": "bearer", "secret": "x", "internal": True, "patterns": ["@partner/*", "*"]}, "patterns"),
        ({"has_secret": True}, "has_secret"),
        ({"id": 5}, "id"),
    ],
)
def test_upstreams_that_cannot_be(cast: Cast, change: dict[str, Any], field: str) -> None:
    before = census()
    made = cast.call("adam", "POST", UPSTREAMS, {**WISH, **change})
    assert (made.status_code, list(made.json()["fields"])) == (400, [field]), made.content
    changed = cast.call("adam", "PATCH", f"{UPSTREAMS}{cast.upstream.pk}/", change)
    assert (changed.status_code, list(changed.json()["fields"])) == (400, [field]), changed.content
    assert census() == before


def test_an_upstreams_name_is_given_once_per_registry(cast: Cast) -> None:
    answer = cast.call("adam", "POST", UPSTREAMS, {**WISH, "name": "npm"})
    assert (answer.status_code, answer.json()["code"]) == (409, "upstream_exists")


def test_a_registry_with_credentials_upstream_stays_private(cast: Cast) -> None:
    cast.call("adam", "POST", UPSTREAMS, {**WISH, "auth_type": "bearer", "secret": "x"})
    before = census()
    assert cast.call("adam", "PATCH", MAIN, {"visibility": "public"}).status_code == 400
    assert census() == before
