"""What visitors of a public registry may not learn: where its packages come from, and what its workspace claims."""

from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import Tombstone, Version
from registries.services import create_registry
from tests.web.conftest import HTML, World
from upstreams.models import Upstream
from workspaces.models import Claim

MAIN = "/acme/registries/main/"
SECRETS = ("outside", "registry.example.org", "@secret-scope", "hush", "resolution/", "upstreams/", "shadowed", "held by", "claim")


@pytest.fixture
def public(world: World, put: Callable[..., Version]) -> World:
    """A public registry with a published and a pulled package, an upstream with patterns, a claim and a tombstone."""
    put("@acme/http", "1.0.0")
    put("pulled-thing", "1.0.0", pulled=True)
    put("@secret-scope/pulled", "1.0.0", pulled=True)
    Upstream.objects.filter(pk=world.upstream.pk).update(patterns=["@secret-scope/*", "pulled-*", "@acme/*"])
    Claim.objects.create(workspace=world.workspace, pattern="@secret-scope/*")
    Tombstone.objects.create(workspace=world.workspace, format="npm", name="gone-thing", reason="hush")
    other = create_registry(actor=world.actor("alice"), workspace=world.workspace, slug="other")
    held = Version.objects.get(package__name="@acme/http").package
    type(held).objects.create(registry=other, format="npm", name="pulled-thing", folded="pulled-thing")
    type(world.main).objects.filter(pk=world.main.pk).update(visibility="public")
    return world


PAGES = {
    MAIN: 200,
    f"{MAIN}npm/@acme/http/": 200,
    f"{MAIN}npm/pulled-thing/": 200,
    f"{MAIN}npm/pulled-thing/versions/": 200,
    f"{MAIN}npm/pulled-thing/dependents/": 200,
    f"{MAIN}npm/pulled-thing/v/1.0.0/": 200,
    f"{MAIN}npm/pulled-thing/v/1.0.0/dependencies/": 200,
    f"{MAIN}npm/pulled-thing/v/1.0.0/files/": 200,
    f"{MAIN}npm/pulled-thing/v/1.0.0/files/README.md": 200,
    f"{MAIN}npm/gone-thing/": 404,
    f"{MAIN}npm/nothing/": 404,
}


@pytest.mark.parametrize("who", ["", "mallory"])
def test_visitors_see_packages_and_not_where_they_come_from(public: World, sign_in: Callable[[str], Client], who: str) -> None:
    client = sign_in(who) if who else Client(headers={"accept": HTML})
    for address, status in PAGES.items():
        answer = client.get(address)
        assert answer.status_code == status, address
        body = answer.content.decode().replace("@secret-scope/pulled", "").replace("@secret-scope%2Fpulled", "")
        assert not [word for word in SECRETS if word in body], address


@pytest.mark.parametrize("address", [f"{MAIN}npm/@acme/http/resolution/", f"{MAIN}npm/gone-thing/resolution/", f"{MAIN}upstreams/"])
def test_the_trace_and_the_upstreams_are_for_members(public: World, sign_in: Callable[[str], Client], nobody: Client, address: str) -> None:
    assert nobody.get(address).status_code == 302
    assert sign_in("mallory").get(address).status_code == 404
    assert sign_in("rita").get(address).status_code == 200


def test_members_see_all_of_it(public: World, sign_in: Callable[[str], Client]) -> None:
    rita = sign_in("rita")
    words = {MAIN: "registry.example.org", f"{MAIN}npm/pulled-thing/": "pulled from outside", f"{MAIN}npm/gone-thing/": "hush"}
    for address, word in words.items():
        assert word in rita.get(address).content.decode(), address


def test_a_shadowed_version_is_not_told_to_visitors(public: World, sign_in: Callable[[str], Client], nobody: Client) -> None:
    address = f"{MAIN}npm/@secret-scope/pulled/"
    assert "shadowed" in sign_in("rita").get(address).content.decode()
    body = nobody.get(address).content.decode()
    assert "shadowed" not in body
    assert "@secret-scope/*" not in body
