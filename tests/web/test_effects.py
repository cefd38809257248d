"""What the Internal box says before anybody decides, and what is waited for on an empty registry's page."""

from collections.abc import Callable

from django.test import Client

from packages.models import Version
from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from workspaces.services.spaces import add_claim

PAD = f"{MAIN}npm/left-pad/v/"


def test_the_box_says_what_its_other_state_would_do(alice: Client, put: Callable[..., Version], world: World) -> None:
    put("left-pad", "1.0.0", pulled=True)
    put("left-pad", "1.1.0", pulled=True)
    said = text(alice, f"{PAD}1.0.0/internal/effect/")
    assert "If it is ticked:" in said
    assert "no public source is asked about left-pad" in said
    assert "1 version that was pulled is hidden." in said
    changed = alice.post(f"{PAD}1.0.0/internal/", {"internal": "on"}, follow=True).content.decode()
    assert ">Undo</button>" in changed
    assert "may then be fetched from outside" in text(alice, f"{PAD}1.0.0/internal/effect/")
    assert "internal already" in text(alice, f"{PAD}1.1.0/internal/effect/")
    alice.post(f"{PAD}1.1.0/internal/", {"internal": "on"})
    assert "1 other version is internal" in text(alice, f"{PAD}1.0.0/internal/effect/")
    add_claim(actor=world.actor("alice"), workspace=world.workspace, pattern="left-*")
    alice.post(f"{PAD}1.1.0/internal/", {})
    assert "claim left-* covers it" in text(alice, f"{PAD}1.0.0/internal/effect/")


def test_an_empty_registry_waits_for_its_first_package(alice: Client, put: Callable[..., Version]) -> None:
    page = text(alice, MAIN)
    assert f'hx-get="{MAIN}arrived/"' in page
    asking = {"HX-Request": "true"}
    assert alice.get(f"{MAIN}arrived/", headers=asking).status_code == 204
    put("@acme/http", "1.0.0")
    assert alice.get(f"{MAIN}arrived/", headers=asking).headers["HX-Redirect"] == MAIN
    assert "arrived/" not in text(alice, MAIN)


def test_a_version_tells_admins_who_brought_it_from_where(
    alice: Client, sign_in: Callable[[str], Client], put: Callable[..., Version]
) -> None:
    put("@acme/http", "1.0.0")
    shown = text(alice, f"{MAIN}npm/@acme/http/v/1.0.0/").partition("Where it comes from")[2]
    assert "published" in shown
    assert "by bob" in shown
    assert "from 192.0.2.7" in shown
    assert "192.0.2.7" not in text(sign_in("rita"), f"{MAIN}npm/@acme/http/v/1.0.0/"), "the log is for admins"
