"""What the pages show."""

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from packages.models import Version
from tests.web.addresses import HTTP, MAIN, PACKAGE_PAGES, PAGES, text
from tests.web.conftest import World
from workspaces.models import Event
from workspaces.services.spaces import add_claim


@pytest.mark.parametrize("address", [*PAGES, *PACKAGE_PAGES])
def test_no_page_asks_more_with_more_rows(
    address: str, alice: Client, put: Callable[..., Version], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        put("@acme/http", f"1.{number}.0", tags=(f"t{number}",), dependencies={f"@acme/d{number}": "1"})
        put(f"@acme/d{number}", "1.0.0")
        put(f"left-{number}", "1.0.0", pulled=True)
    with django_assert_max_num_queries(20):
        assert alice.get(address).status_code == 200


def test_a_registry_shows_its_address_and_set_up_for_every_client(alice: Client, world: World) -> None:
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
        "npmPreapprovedPackages:",
        f"npmPublishRegistry: &quot;{url}&quot;",
        "minimumReleaseAgeExclude:",
        "[install.scopes]",
        f"npm login --registry={url}",
    ):
        assert wanted in body, wanted
    assert "No packages yet" in body


def test_packages_are_found_by_name_and_flag(alice: Client, put: Callable[..., Version]) -> None:
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


def test_fifty_packages_a_page(alice: Client, put: Callable[..., Version]) -> None:
    for number in range(51):
        put(f"p{number:02}", "1.0.0")
    assert "p50</a>" not in text(alice, MAIN)
    assert "p50</a>" in text(alice, f"{MAIN}?page=2")
    assert "p50</a>" in text(alice, f"{MAIN}?page=99999999999999999999")


def test_a_package_page_says_what_came_whence(alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    put("@acme/http", "9.9.9", tags=("zzz",), pulled=True)
    body = text(alice, HTTP)
    assert "npm install @acme/http" in body
    listed = text(alice, f"{HTTP}versions/")
    assert "published by bob" in listed
    assert "pulled from outside" in listed
    assert "shadowed" in listed
    assert "does not exist" not in body


def test_what_a_publisher_wrote_is_text(alice: Client, put: Callable[..., Version]) -> None:
    put(
        "@acme/http",
        "1.0.0",
        description="<b onmouseover=alert(1)>",
        homepage="javascript:alert(1)",
        license=["<i>"],
        author={"name": "<u>"},
    )
    for address in (HTTP, f"{HTTP}v/1.0.0/"):
        body = text(alice, address)
        assert "<script>alert" not in body
        assert "<b onmouseover" not in body
        assert "javascript:" not in body
        assert "Hello</h2>" in body


@pytest.mark.parametrize(
    "manifest", [b"[]", b"{", b"null", b'{"dependencies": [1], "keywords": "x", "dist": 3, "engines": null, "bin": 5}']
)
def test_a_strange_manifest_is_no_error(manifest: bytes, alice: Client, put: Callable[..., Version]) -> None:
    made = put("@acme/http", "1.0.0")
    Version.objects.filter(pk=made.pk).update(manifest=manifest)
    assert "1.0.0" in text(alice, f"{HTTP}v/1.0.0/")


def test_an_unknown_name_offers_the_claim(alice: Client, sign_in: Callable[[str], Client], world: World) -> None:
    body = text(alice, f"{MAIN}npm/@acme/new/", 404)
    assert "Claim @acme/*" in body
    assert "Claim @acme/*" not in text(sign_in("rita"), f"{MAIN}npm/@acme/new/", 404)
    alice.post("/acme/claims/", {"pattern": "@acme/*"})
    claimed = text(alice, f"{MAIN}npm/@acme/new/", 404)
    assert "keeps this name internal" in claimed
    assert "Is this name yours" not in claimed


def test_the_audit_log_is_paged(alice: Client, world: World) -> None:
    for number in range(60):
        add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern=f"@a{number}/*")
    assert "@a59/*" in text(alice, "/acme/activity/")
    assert "@a59/*" not in text(alice, "/acme/activity/?page=2")
    assert "Page 2 of 2" in text(alice, "/acme/activity/?page=2")


def test_alerts_are_shown(alice: Client, world: World) -> None:
    Event.objects.create(workspace=world.workspace, actor="gatehouse", action="alert.integrity_changed", object="acme/main npm x@1.0.0")
    assert "Other bytes than those on record" in text(alice, "/acme/")


def test_the_trace_is_explained_and_asks_nobody(alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    body = text(alice, f"{HTTP}resolution/")
    assert "outside" in body
    assert "not asked" in body
    assert "acme/main" in body
    assert "would be asked" in text(alice, f"{MAIN}npm/unheard-of/resolution/")


def test_the_theme_is_remembered(alice: Client) -> None:
    alice.post("/account/", {"theme": "dark"})
    assert 'data-theme="dark"' in text(alice, "/acme/")
    alice.post("/account/", {"theme": '"><script>'})
    assert 'data-theme="dark"' in text(alice, "/acme/")
