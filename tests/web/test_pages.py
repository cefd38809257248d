"""What the pages show, and what their forms do."""

import json
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from packages.models import RetiredVersion, Tombstone, Version
from registries.models import Registry
from tests.web.conftest import World
from tokens.models import LoginSession, Token
from tokens.services.authenticate import actor_of_token
from tokens.services.web_login import collect_login, start_login
from upstreams.models import Upstream
from workspaces.models import Claim, Event, Workspace
from workspaces.services.spaces import add_claim

MAIN = "/acme/registries/main/"
HTTP = f"{MAIN}npm/@acme/http/"
PAGES = ("/", "/account/", "/acme/", "/acme/people/", "/acme/claims/", "/acme/tokens/", "/acme/activity/")
PACKAGE_PAGES = (MAIN, f"{MAIN}upstreams/", f"{MAIN}settings/", HTTP, f"{HTTP}resolution/", f"{HTTP}v/1.0.0/")


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


@pytest.mark.parametrize("address", [*PAGES, *PACKAGE_PAGES])
def test_no_page_asks_more_with_more_rows(
    address: str, alice: Client, put: Callable[..., Version], django_assert_max_num_queries: DjangoAssertNumQueries
):
    for number in range(12):
        put("@acme/http", f"1.{number}.0", tags=(f"t{number}",), dependencies={f"@acme/d{number}": "1"})
        put(f"@acme/d{number}", "1.0.0")
        put(f"left-{number}", "1.0.0", pulled=True)
    with django_assert_max_num_queries(20):
        assert alice.get(address).status_code == 200


def test_a_workspace_and_a_registry_are_made(alice: Client):
    assert alice.post("/", {"slug": "shop", "name": "The shop"})["Location"] == "/shop/"
    answer = alice.post("/shop/", {"slug": "main", "description": "all", "internal": "on", "visibility": "private"})
    assert answer["Location"] == "/shop/registries/main/"
    made = Registry.objects.get(workspace__slug="shop")
    assert (made.is_internal, made.visibility, made.is_default) == (True, "private", True)


@pytest.mark.parametrize(("slug", "status"), [("acme", 409), ("login", 400), ("-x", 400), ("", 400), ("A", 400), ("x" * 41, 400)])
def test_a_bad_slug_makes_no_workspace(slug: str, status: int, alice: Client):
    before = Workspace.objects.count()
    answer = alice.post("/", {"slug": slug})
    assert answer.status_code == status
    assert 'aria-invalid="true"' in answer.content.decode()
    assert Workspace.objects.count() == before


def test_an_unticked_box_makes_a_registry_that_is_not_internal(alice: Client):
    alice.post("/acme/", {"slug": "open", "visibility": "public"})
    assert not Registry.objects.get(slug="open").is_internal


def test_a_registry_shows_its_address_and_set_up_for_every_client(alice: Client, world: World):
    add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern="@acme/*")
    body = text(alice, MAIN)
    url = f"{settings.EXTERNAL_HOST}/acme/r/main/"
    bare = url.partition(":")[2]
    for wanted in (
        f"registry={url}",
        f"@acme:registry={url}",
        f"{bare}:_authToken=${{NPM_TOKEN}}",
        "always-auth=true",
        "npmAlwaysAuth: true",
        f"npmRegistryServer: &quot;{url}&quot;",
        "npmMinimalAgeGate: 0",
        "minimumReleaseAgeExclude:",
        "[install.scopes]",
        f"npm login --registry={url}",
    ):
        assert wanted in body, wanted
    assert "No packages yet" in body


def test_packages_are_found_by_name_and_flag(alice: Client, put: Callable[..., Version]):
    put("@acme/http", "1.0.0")
    put("left-pad", "1.3.0", pulled=True)
    assert "left-pad" not in text(alice, f"{MAIN}?q=ACME")
    internal, other = text(alice, f"{MAIN}?kind=internal"), text(alice, f"{MAIN}?kind=other")
    assert "@acme/http</a>" in internal
    assert "left-pad" not in internal
    assert "left-pad" in other
    assert "Nothing matches" in text(alice, f"{MAIN}?q=zzz")
    fragment = alice.get(f"{MAIN}?q=left", headers={"HX-Request": "true", "HX-Target": "packages"}).content.decode()
    assert "left-pad" in fragment
    assert "<html" not in fragment


def test_fifty_packages_a_page(alice: Client, put: Callable[..., Version]):
    for number in range(51):
        put(f"p{number:02}", "1.0.0")
    assert "p50</a>" not in text(alice, MAIN)
    assert "p50</a>" in text(alice, f"{MAIN}?page=2")
    assert "p50</a>" in text(alice, f"{MAIN}?page=99999999999999999999")


def test_a_package_page_says_what_came_whence(alice: Client, put: Callable[..., Version]):
    put("@acme/http", "1.0.0")
    put("@acme/http", "9.9.9", tags=("zzz",), pulled=True)
    body = text(alice, HTTP)
    assert "published by bob" in body
    assert "pulled from outside" in body
    assert "shadowed" in body
    assert "npm install @acme/http" in body
    assert "does not exist" not in body


def test_what_a_publisher_wrote_is_text(alice: Client, put: Callable[..., Version]):
    put("@acme/http", "1.0.0", description="<b onmouseover=alert(1)>", homepage="javascript:alert(1)", license=["<i>"], author={"name": "<u>"})
    for address in (HTTP, f"{HTTP}v/1.0.0/"):
        body = text(alice, address)
        assert "<script>alert" not in body
        assert "<b onmouseover" not in body
        assert "javascript:" not in body
        assert "&lt;script&gt;alert(1)" in body


@pytest.mark.parametrize("manifest", [b"[]", b"{", b"null", b'{"dependencies": [1], "keywords": "x", "dist": 3, "engines": null, "bin": 5}'])
def test_a_strange_manifest_is_no_error(manifest: bytes, alice: Client, put: Callable[..., Version]):
    made = put("@acme/http", "1.0.0")
    Version.objects.filter(pk=made.pk).update(manifest=manifest)
    assert "1.0.0" in text(alice, f"{HTTP}v/1.0.0/")


def test_an_unknown_name_offers_the_claim(alice: Client, sign_in: Callable[[str], Client], world: World):
    body = text(alice, f"{MAIN}npm/@acme/new/", 404)
    assert "Claim @acme/*" in body
    assert "Claim @acme/*" not in text(sign_in("rita"), f"{MAIN}npm/@acme/new/", 404)
    alice.post("/acme/claims/", {"pattern": "@acme/*"})
    claimed = text(alice, f"{MAIN}npm/@acme/new/", 404)
    assert "keeps this name internal" in claimed
    assert "Is this name yours" not in claimed


def test_ticking_internal_is_one_event(alice: Client, put: Callable[..., Version]):
    made = put("left-pad", "1.0.0", pulled=True)
    answer = alice.post(f"{MAIN}npm/left-pad/v/1.0.0/internal/", {"internal": "on"}, follow=True)
    made.refresh_from_db()
    assert made.is_internal
    assert "left-pad@1.0.0 is internal." in answer.content.decode()
    event = Event.objects.get(action="version.internal")
    assert (event.actor, event.old, event.new) == ("alice", {"internal": False}, {"internal": True})


def test_unticking_the_last_internal_version_says_what_follows(alice: Client, put: Callable[..., Version]):
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


def test_a_claim_is_named_when_it_keeps_the_name(alice: Client, world: World, put: Callable[..., Version]):
    add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern="@acme/*")
    put("@acme/http", "1.0.0")
    body = alice.post(f"{HTTP}v/1.0.0/internal/", {}).content.decode()
    assert "stays internal all the same, because the claim @acme/* covers it" in body


def test_the_registry_toggle(alice: Client, world: World, put: Callable[..., Version]):
    answer = alice.post(f"{MAIN}settings/", {"description": "d", "visibility": "private"})
    assert answer.status_code == 302
    world.main.refresh_from_db()
    assert (world.main.is_internal, world.main.is_default, world.main.description) == (False, True, "d")
    assert not put("later", "1.0.0").is_internal


def test_a_registry_with_a_private_upstream_is_not_made_public(alice: Client, world: World):
    Upstream.objects.update(auth_type="bearer")
    answer = alice.post(f"{MAIN}settings/", {"internal": "on", "visibility": "public"})
    assert answer.status_code == 400
    assert "cannot be made public" in answer.content.decode()


def test_deleting_asks_first(alice: Client, put: Callable[..., Version]):
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


def test_deleting_a_package_wants_its_name(alice: Client, put: Callable[..., Version]):
    put("@acme/http", "1.0.0")
    assert alice.post(f"{HTTP}delete/", {"confirm": "yes", "typed": "acme"}).status_code == 400
    assert Version.objects.exists()
    assert alice.post(f"{HTTP}delete/", {"confirm": "yes", "typed": "@acme/http"}).status_code == 302
    assert not Version.objects.exists()


def test_tags(alice: Client, put: Callable[..., Version]):
    made = put("@acme/http", "1.0.0")
    alice.post(f"{HTTP}tags/", {"tag": "next", "version": "1.0.0"})
    assert set(made.tags.values_list("name", flat=True)) == {"latest", "next"}
    alice.post(f"{HTTP}tags/", {"tag": "next", "remove": "1"})
    assert set(made.tags.values_list("name", flat=True)) == {"latest"}
    assert alice.post(f"{HTTP}tags/", {"tag": "1.0", "version": "1.0.0"}).status_code == 400
    assert alice.post(f"{HTTP}tags/", {"tag": "latest", "remove": "1"}).status_code == 409


def test_people_come_change_and_go(alice: Client, world: World):
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


def test_claims(alice: Client):
    assert alice.post("/acme/claims/", {"pattern": "*"}).status_code == 400
    alice.post("/acme/claims/", {"pattern": "@ACME/*"})
    claim = Claim.objects.get()
    assert claim.pattern == "@acme/*"
    assert alice.post("/acme/claims/", {"pattern": "@acme/*"}).status_code == 409
    assert alice.post(f"/acme/claims/{claim.pk}/remove/").status_code == 200
    assert Claim.objects.exists()
    alice.post(f"/acme/claims/{claim.pk}/remove/", {"confirm": "yes"})
    assert not Claim.objects.exists()


def test_an_upstream_is_added_switched_changed_and_removed(alice: Client, world: World):
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


def test_an_upstream_of_another_registry_is_not_reached(sign_in: Callable[[str], Client], world: World):
    mallory = sign_in("mallory")
    mallory.post("/globex/", {"slug": "main", "visibility": "private"})
    assert mallory.get(f"/globex/registries/main/upstreams/{world.upstream.pk}/").status_code == 404


def test_a_token_is_shown_once_and_works_until_revoked(alice: Client, world: World):
    answer = alice.post(
        "/acme/tokens/",
        {"name": "ci", "kind": "personal", "life": "30", "scopes": "npm:package:@acme/*:read", "cidrs": "10.0.0.0/8", "registries": [world.main.pk]},
    )
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "private, no-store"
    token = Token.objects.get()
    body = answer.content.decode()
    secret = next(word for word in body.replace("<", " ").replace(">", " ").split() if word.startswith("gth_") and len(word) > 40)
    assert f"/acme/r/main/:_authToken={secret}" in body
    assert (token.registries, token.scopes, token.cidrs) == ([world.main.pk], ["npm:package:@acme/*:read"], ["10.0.0.0/8"])
    assert actor_of_token(secret, "10.1.2.3").name == "alice"
    again = text(alice, "/acme/tokens/")
    assert secret not in again
    assert token.prefix in again
    assert alice.post(f"/acme/tokens/{token.pk}/revoke/").status_code == 200
    assert Token.objects.exists()
    alice.post(f"/acme/tokens/{token.pk}/revoke/", {"confirm": "yes"})
    assert not Token.objects.exists()


@pytest.mark.parametrize("wrong", [{"scopes": "npm:everything"}, {"cidrs": "999.1.1.1/8"}, {"registries": "99999"}, {"life": "7000"}, {"name": ""}])
def test_a_bad_token_form_makes_none(wrong: dict[str, str], alice: Client):
    answer = alice.post("/acme/tokens/", {"name": "ci", "kind": "personal", "life": "30", **wrong})
    assert answer.status_code == 400
    assert 'class="error"' in answer.content.decode()
    assert not Token.objects.exists()


def test_another_persons_token_is_neither_seen_nor_revoked(alice: Client, sign_in: Callable[[str], Client]):
    alice.post("/acme/tokens/", {"name": "hers", "kind": "personal", "life": "30"})
    bob = sign_in("bob")
    assert "hers" not in text(bob, "/acme/tokens/")
    assert bob.post(f"/acme/tokens/{Token.objects.get().pk}/revoke/", {"confirm": "yes"}).status_code == 404
    assert Token.objects.exists()


def test_a_login_is_approved_only_by_a_post(alice: Client, nobody: Client, world: World):
    started = start_login(registry_path="acme/main", client="npm/11 <b>", ip="198.51.100.4")
    address = f"/login/cli/{started.page_id}"
    assert nobody.get(address)["Location"] == f"/login?next={address}"
    body = text(alice, address)
    assert "198.51.100.4" in body
    assert "npm/11 &lt;b&gt;" in body
    assert "acme/main" in body
    assert LoginSession.objects.get().state == "pending"
    assert collect_login(poll_id=started.poll_id) is None
    approved = alice.post(address, {"answer": "approve"})
    assert "return to the terminal" in approved.content.decode()
    assert text(alice, address, 410)
    assert alice.post(address, {"answer": "approve"}).status_code == 410
    issued = collect_login(poll_id=started.poll_id)
    assert issued is not None
    assert actor_of_token(issued.secret, "198.51.100.4").name == "alice"


def test_a_refused_login_gives_nothing(alice: Client, world: World):
    started = start_login(registry_path="acme/main", client="npm", ip="198.51.100.4")
    assert "given nothing" in alice.post(f"/login/cli/{started.page_id}", {"answer": "refuse"}).content.decode()
    assert LoginSession.objects.get().state == "denied"
    assert not Token.objects.exists()


def test_the_audit_log_is_paged(alice: Client, world: World):
    for number in range(60):
        add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern=f"@a{number}/*")
    assert "@a59/*" in text(alice, "/acme/activity/")
    assert "@a59/*" not in text(alice, "/acme/activity/?page=2")
    assert "Page 2 of 2" in text(alice, "/acme/activity/?page=2")


def test_alerts_are_shown(alice: Client, world: World):
    Event.objects.create(workspace=world.workspace, actor="gatehouse", action="alert.integrity_changed", object="acme/main npm x@1.0.0")
    assert "Other bytes were offered" in text(alice, "/acme/")


def test_the_trace_is_explained_and_asks_nobody(alice: Client, put: Callable[..., Version]):
    put("@acme/http", "1.0.0")
    body = text(alice, f"{HTTP}resolution/")
    assert "outside" in body
    assert "not asked" in body
    assert "acme/main" in body
    assert "would be asked" in text(alice, f"{MAIN}npm/unheard-of/resolution/")


def test_the_theme_is_remembered(alice: Client):
    alice.post("/account/", {"theme": "dark"})
    assert 'data-theme="dark"' in text(alice, "/acme/")
    alice.post("/account/", {"theme": '"><script>'})
    assert 'data-theme="dark"' in text(alice, "/acme/")


def test_deprecating(alice: Client, put: Callable[..., Version]):
    made = put("@acme/http", "1.0.0")
    alice.post(f"{HTTP}v/1.0.0/deprecate/", {"message": "use 2"})
    made.refresh_from_db()
    assert made.deprecated == "use 2"
    assert "use 2" in text(alice, f"{HTTP}v/1.0.0/")
