"""Chaining registries in the browser."""

from collections.abc import Callable

from django.test import Client

from registries.services import create_registry
from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish

LINK = {"kind": "registry", "registry": "shared", "name": "shared", "priority": "5", "patterns": "@acme/*", "enabled": "on"}


def test_a_registry_alone_has_nothing_to_chain(alice: Client, world: World) -> None:
    assert "Chain another registry" not in text(alice, f"{MAIN}upstreams/")


def test_a_link_is_added_shown_changed_and_removed(alice: Client, world: World) -> None:
    create_registry(actor=world.actor("alice"), workspace=world.workspace, slug="shared")
    assert '<option value="shared">' in text(alice, f"{MAIN}upstreams/")
    assert alice.post(f"{MAIN}upstreams/", LINK).status_code == 302
    made = Upstream.objects.get(name="shared")
    assert (made.kind, made.source and made.source.slug, made.priority, made.patterns) == ("registry", "shared", 5, ["@acme/*"])
    listed = text(alice, f"{MAIN}upstreams/")
    assert 'href="/acme/registries/shared/"' in listed
    assert "each version by its own flag" in listed
    assert 'value="shared" selected' in text(alice, f"{MAIN}upstreams/{made.pk}/")
    assert alice.post(f"{MAIN}upstreams/{made.pk}/", {**LINK, "priority": "9", "patterns": ""}).status_code == 302
    made.refresh_from_db()
    assert (made.priority, made.patterns, made.kind) == (9, [], "registry")
    alice.post(f"{MAIN}upstreams/{made.pk}/remove/", {"confirm": "yes"})
    assert not Upstream.objects.filter(name="shared").exists()


def test_what_is_refused_is_said_at_its_form(alice: Client, world: World) -> None:
    create_registry(actor=world.actor("alice"), workspace=world.workspace, slug="shared")
    for wrong in ({"registry": "nowhere"}, {"name": "Not A Slug"}, {"priority": "-1"}, {"name": "outside"}):
        answer = alice.post(f"{MAIN}upstreams/", {**LINK, **wrong})
        assert answer.status_code in {400, 409}
        assert '<details class="card fold" open><summary>Chain another' in answer.content.decode()
    assert Upstream.objects.count() == 1


def test_readers_are_not_offered_it(sign_in: Callable[[str], Client], world: World) -> None:
    create_registry(actor=world.actor("alice"), workspace=world.workspace, slug="shared")
    rita = sign_in("rita")
    assert "Chain another registry" not in text(rita, f"{MAIN}upstreams/")
    assert rita.post(f"{MAIN}upstreams/", LINK).status_code in {403, 404}
    assert not Upstream.objects.filter(name="shared").exists()


def test_a_name_that_an_internal_upstream_keeps_is_not_called_unclaimed(alice: Client, world: World) -> None:
    wish = UpstreamWish(name="partner", url="https://partner.example.org", internal=True, patterns=("@partner/*",))
    create_upstream(actor=world.actor("alice"), registry=world.main, wish=wish)
    page = alice.get("/acme/registries/main/npm/@partner/zzz/", HTTP_ACCEPT="text/html")
    said = page.content.decode()
    assert page.status_code == 404
    assert "by the pattern @partner/* of internal upstream partner" in said
    assert "Nothing claims it yet" not in said
    assert (
        "internal upstreams are asked first" not in alice.get("/acme/registries/main/npm/other/", HTTP_ACCEPT="text/html").content.decode()
    )
