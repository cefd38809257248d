"""The registry's address on its settings page: another one, former ones, a clone."""

from collections.abc import Callable

import pytest
from django.test import Client

from packages.models import Version
from registries.models import Alias, Registry
from tests.web.addresses import MAIN
from tests.web.conftest import World
from workspaces.models import Event


def test_renaming_leads_to_the_new_address_and_the_old_leads_on(alice: Client, world: World) -> None:
    page = alice.post(f"{MAIN}rename/", {"slug": "newer"}, follow=True)
    assert page.redirect_chain == [("/acme/registries/newer/settings/", 302)]
    assert "acme/main" in page.content.decode()
    event = Event.objects.filter(action="registry.changed").get()
    assert ((event.old or {})["slug"], (event.new or {})["slug"]) == ("main", "newer")
    moved = alice.get(f"{MAIN}upstreams/?page=2")
    assert (moved.status_code, moved["Location"]) == (308, "/acme/registries/newer/upstreams/?page=2")
    posted = alice.post(f"{MAIN}settings/", {"visibility": "public"})
    assert (posted.status_code, posted["Location"]) == (308, "/acme/registries/newer/settings/")


@pytest.mark.parametrize(
    ("act", "slug", "status"),
    [(act, *one) for act in ("rename", "clone") for one in (("", 400), ("A b", 400), ("npm", 400), ("other", 409))],
)
def test_a_slug_that_cannot_be_is_shown_at_its_field(alice: Client, world: World, act: str, slug: str, status: int) -> None:
    alice.post("/acme/", {"slug": "other", "visibility": "private"})
    before = (Registry.objects.count(), Alias.objects.count(), Event.objects.count())
    answer = alice.post(f"{MAIN}{act}/", {"slug": slug})
    assert answer.status_code == status
    assert answer.content.decode().count('aria-invalid="true"') == 1
    assert (Registry.objects.count(), Alias.objects.count(), Event.objects.count()) == before


def test_a_former_address_is_released_after_a_question(alice: Client, world: World) -> None:
    alice.post(f"{MAIN}rename/", {"slug": "newer"})
    release = "/acme/registries/newer/aliases/main/release/"
    asked = alice.post(release)
    assert (asked.status_code, "Lock files" in asked.content.decode(), Alias.objects.count()) == (200, True, 1)
    assert alice.post(release, {"confirm": "yes"}).status_code == 302
    assert Alias.objects.count() == 0
    assert alice.get(MAIN).status_code == 404
    assert Event.objects.filter(action="registry.alias_released", object="acme/newer").count() == 1


def test_a_clone_opens(alice: Client, put: Callable[..., Version]) -> None:
    put("@acme/http", "1.0.0")
    page = alice.post(f"{MAIN}clone/", {"slug": "copy"}, follow=True)
    assert page.redirect_chain == [("/acme/registries/copy/", 302)]
    assert "@acme/http" in page.content.decode()
