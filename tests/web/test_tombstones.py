"""Names kept internal: the form warns before it makes many, the page lists them and lets them go."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import Tombstone, Version
from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.models import Upstream
from upstreams.services.sources import change_upstream
from workspaces.models import Event

PAGE = "/acme/tombstones/"
FORM = {"name": "outside", "url": "https://registry.example.org", "priority": "100", "auth_type": "none", "enabled": "on"}


def left(world: World, *names: str, upstream: str = "outside") -> None:
    for name in names:
        reason = f"internal upstream {upstream} answered for it"
        Tombstone.objects.create(workspace=world.workspace, registry=world.main, format="npm", name=name, reason=reason)


@pytest.mark.parametrize("patterns", ["", "*", "@acme/*, *"])
def test_an_upstream_without_limits_is_made_internal_only_on_a_second_yes(patterns: str, alice: Client, world: World) -> None:
    address, form = f"{MAIN}upstreams/{world.upstream.pk}/", {**FORM, "internal": "on", "patterns": patterns}
    refused = alice.post(address, form)
    assert refused.status_code == 400
    assert "Of a public registry this is hardly ever meant" in refused.content.decode()
    assert "Say yes here, or limit it" in refused.content.decode()
    assert not Upstream.objects.get(pk=world.upstream.pk).is_internal
    assert alice.post(f"{MAIN}upstreams/", {**form, "name": "two"}).status_code == 400
    assert not Upstream.objects.filter(name="two").exists()
    assert alice.post(address, {**form, "patterns": "@partner/*"}).status_code == 302
    assert alice.post(address, {**form, "everything": "on"}).status_code == 302
    assert Upstream.objects.get(pk=world.upstream.pk).is_internal
    assert re.search(r'name="everything"[^>]*checked', text(alice, address)) or patterns  # it was said once


def test_who_turns_it_off_is_told_what_stays_and_finds_it(alice: Client, world: World) -> None:
    change_upstream(actor=world.actor("alice"), upstream=world.upstream, changes={"internal": True})
    left(world, "left-pad", "right-pad")
    address = f"{MAIN}upstreams/{world.upstream.pk}/"
    said = alice.post(address, FORM, follow=True).content.decode()
    assert "2 names stay internal, because it answered for them." in said
    assert f"{PAGE}?registry=main&amp;upstream=outside" in text(alice, address)
    listed = text(alice, f"{PAGE}?registry=main&upstream=outside")
    assert f'href="{MAIN}npm/left-pad/"' in listed
    assert "Internal upstream outside answered for them" in listed


def test_all_of_an_upstream_are_let_go_after_its_name_was_typed(alice: Client, world: World, put: Callable[..., Version]) -> None:
    put("left-pad", "1.3.0", pulled=True)
    Version.objects.update(is_internal=True)
    left(world, "left-pad", "right-pad")
    left(world, "other", upstream="partner")
    Tombstone.objects.create(
        workspace=world.workspace, format="npm", name="@acme/gone", reason="the last internal version in acme/main was deleted"
    )
    act = {"registry": "main", "format": "npm", "upstream": "outside"}
    asked = alice.post(f"{PAGE}lift/", act).content.decode()
    assert "2 names: left-pad, right-pad." in asked
    assert "stay internal by these" in asked
    assert "1 version pulled from it is unticked" in alice.post(f"{PAGE}lift/", {**act, "untick": "on"}).content.decode()
    assert alice.post(f"{PAGE}lift/", {**act, "confirm": "yes", "typed": "outsid"}).status_code == 400
    assert Tombstone.objects.count() == 4
    done = alice.post(f"{PAGE}lift/", {**act, "untick": "on", "confirm": "yes", "typed": "outside"}, follow=True).content.decode()
    assert "2 names may be looked for outside again." in done
    assert "1 version is not internal any more." in done
    assert set(Tombstone.objects.values_list("name", flat=True)) == {"other", "@acme/gone"}
    assert not Version.objects.get().is_internal
    assert Event.objects.get(action="tombstones.removed").actor == "alice"


def test_nothing_is_let_go_while_the_upstream_is_internal(alice: Client, world: World) -> None:
    change_upstream(actor=world.actor("alice"), upstream=world.upstream, changes={"internal": True, "enabled": False})
    left(world, "left-pad")
    act = {"registry": "main", "format": "npm", "upstream": "outside", "confirm": "yes", "typed": "outside"}
    assert "Turn its “internal” off" in alice.post(f"{PAGE}lift/", act, follow=True).content.decode()
    assert Tombstone.objects.count() == 1


def test_the_list_is_searched_and_paged_and_readers_lift_nothing(sign_in: Callable[[str], Client], alice: Client, world: World) -> None:
    left(world, *(f"p{number:02}" for number in range(60)))
    assert "p59</a>" not in text(alice, PAGE)
    assert "upstream=outside&amp;page=2" in text(alice, f"{PAGE}?upstream=outside")
    assert "p59</a>" in text(alice, f"{PAGE}?q=P59")
    assert "Let go of all" not in text(sign_in("rita"), PAGE)
    assert alice.get(f"{PAGE}?q=%00&registry=%00&upstream=%25").status_code == 200
