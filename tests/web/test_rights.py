"""Teams on the people page, and who may write a package on its page: to members, and to nobody else."""

from collections.abc import Callable

from django.test import Client

from packages.models import Version
from packages.services.maintainers import add_maintainer, grant, set_restricted
from registries.models import Registry
from tests.web.conftest import World
from workspaces.services.groups import add_to_group, create_group

PAGE = "/acme/registries/main/npm/@acme/http/"


def test_teams_are_shown_with_their_members(alice: Client, sign_in: Callable[[str], Client], world: World) -> None:
    assert "None yet. A team" in alice.get("/acme/people/").content.decode()
    create_group(actor=world.actor("alice"), workspace=world.workspace, slug="crew", description="<b>us</b>")
    add_to_group(actor=world.actor("alice"), workspace=world.workspace, slug="crew", username="rita")
    page = alice.get("/acme/people/").content.decode()
    assert "<dt>crew</dt><dd>rita<br>" in page
    assert "&lt;b&gt;us&lt;/b&gt;" in page
    assert "npm team create acme:TEAM" in page
    assert "npm team create" not in sign_in("rita").get("/acme/people/").content.decode()


def test_a_package_page_says_who_may_write(alice: Client, nobody: Client, put: Callable[..., Version], world: World) -> None:
    put("@acme/http", "1.0.0")
    actor, here = world.actor("alice"), {"registry": world.main, "format": "npm", "name": "@acme/http"}
    create_group(actor=actor, workspace=world.workspace, slug="crew")
    grant(actor=actor, **here, group="crew", permission="write")  # type: ignore[arg-type]
    add_maintainer(actor=actor, **here, username="rita")  # type: ignore[arg-type]
    page = alice.get(PAGE).content.decode()
    assert "<dt>Maintainers</dt><dd>bob, rita</dd>" in page
    assert "<dt>Team crew</dt><dd>may publish</dd>" in page
    assert "members only" not in page
    Registry.objects.filter(pk=world.main.pk).update(visibility="public")
    assert "Who may write" not in nobody.get(PAGE).content.decode()
    set_restricted(actor=actor, **here, restricted=True)  # type: ignore[arg-type]
    assert "members only" in alice.get(PAGE).content.decode()
    assert nobody.get(PAGE).status_code == 404


def test_a_list_of_dependencies_betrays_no_restricted_name(
    alice: Client, nobody: Client, put: Callable[..., Version], world: World
) -> None:
    put("@acme/http", "1.0.0", dependencies={"@acme/secret": "1"})
    put("@acme/secret", "1.0.0")
    Registry.objects.filter(pk=world.main.pk).update(visibility="public")
    address, link = f"{PAGE}v/1.0.0/dependencies/", "/acme/registries/main/npm/@acme/secret/"
    assert link in nobody.get(address).content.decode()
    set_restricted(actor=world.actor("alice"), registry=world.main, format="npm", name="@acme/secret", restricted=True)
    assert link not in nobody.get(address).content.decode()
    assert link in alice.get(address).content.decode()
    listed = nobody.get("/acme/registries/main/").content.decode()
    assert "@acme/http" in listed
    assert "@acme/secret" not in listed
