"""What the forms change: toggles, deletions, people, claims, upstreams."""

import json
from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import RetiredVersion, Tombstone, Version
from registries.models import Registry
from tests.web.addresses import HTTP, MAIN, text
from tests.web.conftest import World
from upstreams.models import Upstream
from workspaces.models import Claim, Event, Workspace
from workspaces.services.spaces import add_claim


def test_a_workspace_and_a_registry_are_made(alice: Client) -> None:
    assert alice.post("/", {"slug": "shop", "name": "The shop"})["Location"] == "/shop/"
    answer = alice.post("/shop/", {"slug": "main", "description": "all", "internal": "on", "visibility": "private"})
    assert answer["Location"] == "/shop/registries/main/"
    made = Registry.objects.get(workspace__slug="shop")
    assert (made.is_internal, made.visibility, made.is_default) == (True, "private", True)


@pytest.mark.parametrize(("slug", "status"), [("acme", 409), ("login", 400), ("-x", 400), ("", 400), ("A", 400), ("x" * 41, 400)])
def test_a_bad_slug_makes_no_workspace(slug: str, status: int, alice: Client) -> None:
    before = Workspace.objects.count()
    answer = alice.post("/", {"slug": slug})
    assert answer.status_code == status
    assert 'aria-invalid="true"' in answer.content.decode()
    assert Workspace.objects.count() == before


def test_an_unticked_box_makes_a_registry_that_is_not_internal(alice: Client) -> None:
    alice.post("/acme/", {"slug": "open", "visibility": "public"})
    assert not Registry.objects.get(slug="open").is_internal


def test_ticking_internal_is_one_event(alice: Client, put: Callable[..., Version]) -> None:
    made = put("left-pad", "1.0.0", pulled=True)
    answer = alice.post(f"{MAIN}npm/left-pad/v/1.0.0/internal/", {"internal": "on"}, follow=True)
    made.refresh_from_db()
    assert made.is_internal
    assert "left-pad@1.0.0 is internal." in answer.content.decode()
    event = Event.objects.get(action="version.internal")
    assert (event.actor, event.old, event.new) == ("alice", {"internal": False}, {"internal": True})


def test_unticking_the_last_internal_version_says_what_follows(alice: Client, put: Callable[..., Version]) -> None:
    put("tool", "1.0.0")
    made = put("tool", "1.1.0")
    assert alice.post(f"{MAIN}npm/tool/v/1.0.0/internal/", {}).status_code == 302  # not the last one: no question
    asked = alice.post(f"{MAIN}npm/tool/v/1.1.0/internal/", {})
    assert asked.status_code == 200
    assert "tool may then be fetched from outside" in asked.content.decode()
    made.refresh_from_db()
    assert made.is_internal
    assert alice.post(f"{MAIN}npm/tool/v/1.1.0/internal/", {"confirm": "yes"}).status_code == 302
    made.refresh_from_db()
    assert not made.is_internal


def test_a_claim_is_named_when_it_keeps_the_name(alice: Client, world: World, put: Callable[..., Version]) -> None:
    add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern="@acme/*")
    put("@acme/http", "1.0.0")
    body = alice.post(f"{HTTP}v/1.0.0/internal/", {}).content.decode()
    assert "stays internal all the same, because the claim @acme/* covers it" in body


def test_the_registry_toggle(alice: Client, world: World, put: Callable[..., Version]) -> None:
    answer = alice.post(f"{MAIN}settings/", {"description": "d", "visibility": "private"})
    assert answer.status_code == 302
    world.main.refresh_from_db()
    assert (world.main.is_internal, world.main.is_default, world.main.description) == (False, True, "d")
    assert not put("later", "1.0.0").is_internal


def test_what_may_leave_is_off_until_an_admin_says_so_and_is_told(alice: Client, world: World) -> None:
    page = text(alice, f"{MAIN}settings/")
    assert "What people search for is then sent to public upstreams" in page
    assert "Internal and claimed names never leave" in page
    assert (world.main.search_upstream, world.main.audit_upstream) == (False, False)
    fields = {"internal": "on", "visibility": "private", "search_upstream": "on", "audit_upstream": "on"}
    assert alice.post(f"{MAIN}settings/", fields).status_code == 302
    world.main.refresh_from_db()
    assert (world.main.search_upstream, world.main.audit_upstream) == (True, True)
    event = Event.objects.filter(action="registry.changed").latest("id")
    old, new = event.old or {}, event.new or {}
    assert (old["audit_upstream"], new["audit_upstream"], new["search_upstream"]) == (False, True, True)


def test_a_registry_with_a_private_upstream_is_not_made_public(alice: Client, world: World) -> None:
    Upstream.objects.update(auth_type="bearer")
    answer = alice.post(f"{MAIN}settings/", {"internal": "on", "visibility": "public"})
    assert answer.status_code == 400
    assert "cannot be made public" in answer.content.decode()


def test_deleting_asks_first(alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    assert "never given out again" in alice.post(f"{HTTP}v/1.0.0/delete/").content.decode()
    assert Version.objects.count() == 1
    assert alice.post(f"{HTTP}v/1.0.0/delete/", {"confirm": "yes"})["Location"] == MAIN
    assert not Version.objects.exists()
    assert RetiredVersion.objects.exists()
    gone = text(alice, HTTP, 404)
    assert "The name stays internal" in gone
    assert alice.post(f"{HTTP}tombstone/").status_code == 200
    assert alice.post(f"{HTTP}tombstone/", {"confirm": "yes"}).status_code == 302
    assert not Tombstone.objects.exists()


def test_deleting_a_package_wants_its_name(alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    assert alice.post(f"{HTTP}delete/", {"confirm": "yes", "typed": "acme"}).status_code == 400
    assert Version.objects.exists()
    assert alice.post(f"{HTTP}delete/", {"confirm": "yes", "typed": "@acme/http"}).status_code == 302
    assert not Version.objects.exists()


def test_tags(alice: Client, put: Callable[..., Version]) -> None:
    made = put("@acme/http", "1.0.0")
    alice.post(f"{HTTP}tags/", {"tag": "next", "version": "1.0.0"})
    assert set(made.tags.values_list("name", flat=True)) == {"latest", "next"}
    alice.post(f"{HTTP}tags/", {"tag": "next", "remove": "1"})
    assert set(made.tags.values_list("name", flat=True)) == {"latest"}
    assert alice.post(f"{HTTP}tags/", {"tag": "1.0", "version": "1.0.0"}).status_code == 400
    assert alice.post(f"{HTTP}tags/", {"tag": "latest", "remove": "1"}).status_code == 409


def test_people_come_change_and_go(alice: Client, world: World) -> None:
    alice.post("/acme/people/", {"username": "mallory", "role": "admin"})
    assert "mallory" in text(alice, "/acme/people/")
    assert alice.post("/acme/people/", {"username": "nobody-here", "role": "reader"}).status_code == 400
    assert alice.post("/acme/people/remove/", {"username": "mallory"}).status_code == 200
    assert world.workspace.memberships.count() == 4
    alice.post("/acme/people/remove/", {"username": "mallory", "confirm": "yes"})
    assert world.workspace.memberships.count() == 3
    last = alice.post("/acme/people/remove/", {"username": "alice", "confirm": "yes"})
    assert last.status_code == 409
    assert "last owner" in last.content.decode()


def test_claims(alice: Client) -> None:
    assert alice.post("/acme/claims/", {"pattern": "*"}).status_code == 400
    alice.post("/acme/claims/", {"pattern": "@ACME/*"})
    claim = Claim.objects.get()
    assert claim.pattern == "@acme/*"
    assert alice.post("/acme/claims/", {"pattern": "@acme/*"}).status_code == 409
    assert alice.post(f"/acme/claims/{claim.pk}/remove/").status_code == 200
    assert Claim.objects.exists()
    alice.post(f"/acme/claims/{claim.pk}/remove/", {"confirm": "yes"})
    assert not Claim.objects.exists()


def test_an_upstream_is_added_switched_changed_and_removed(alice: Client, world: World) -> None:
    secret = "sesame-open-wide"
    fields = {"name": "partner", "url": "https://p.example.org/", "priority": "5", "auth_type": "bearer", "internal": "on", "enabled": "on"}
    assert alice.post(f"{MAIN}upstreams/", {**fields, "secret": secret}).status_code == 400  # internal with a secret needs patterns
    assert alice.post(f"{MAIN}upstreams/", {**fields, "secret": secret, "patterns": "@p/*\n@q/*"}).status_code == 302
    made = Upstream.objects.get(name="partner")
    assert (made.patterns, made.is_internal, made.is_enabled) == (["@p/*", "@q/*"], True, True)
    assert secret not in text(alice, f"{MAIN}upstreams/") + text(alice, f"{MAIN}upstreams/{made.pk}/")
    alice.post(f"{MAIN}upstreams/{made.pk}/switch/", {"enabled": "false"})
    made.refresh_from_db()
    sealed = bytes(made.secret_sealed)
    assert not made.is_enabled
    assert alice.post(f"{MAIN}upstreams/{made.pk}/", {**fields, "patterns": "@p/*", "priority": "9"}).status_code == 302
    made.refresh_from_db()
    assert (made.priority, made.patterns, bytes(made.secret_sealed)) == (9, ["@p/*"], sealed)
    moved = alice.post(f"{MAIN}upstreams/{made.pk}/", {**fields, "patterns": "@p/*", "url": "https://elsewhere.example.org"})
    assert moved.status_code == 400
    assert "send a secret along" in moved.content.decode()
    alice.post(f"{MAIN}upstreams/{made.pk}/remove/", {"confirm": "yes"})
    assert not Upstream.objects.filter(name="partner").exists()
    assert secret not in json.dumps(list(Event.objects.values_list("old", "new")))


def test_an_upstream_of_another_registry_is_not_reached(sign_in: Callable[[str], Client], world: World) -> None:
    mallory = sign_in("mallory")
    mallory.post("/globex/", {"slug": "main", "visibility": "private"})
    assert mallory.get(f"/globex/registries/main/upstreams/{world.upstream.pk}/").status_code == 404


def test_deprecating(alice: Client, put: Callable[..., Version]) -> None:
    made = put("@acme/http", "1.0.0")
    alice.post(f"{HTTP}v/1.0.0/deprecate/", {"message": "use 2"})
    made.refresh_from_db()
    assert made.deprecated == "use 2"
    assert "use 2" in text(alice, f"{HTTP}v/1.0.0/")
