"""Push, promote and pull from the pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from packages.models import Version
from packages.services.versions import set_internal
from registries.models import Registry
from registries.services import create_registry
from tests.parts.recorder import Recorder
from tests.parts.taking import take_publishes
from tests.web.conftest import PASSWORD, World
from upstreams.clients.breaker import BREAKERS
from upstreams.clients.guard import parse_network
from upstreams.models import Upstream
from workspaces.models import Event, User

MAIN = "/acme/registries/main/"
P = "/acme/registries/main/npm/@acme/http/"
V = f"{P}v/1.0.0/"


@pytest.fixture
def prod(world: World) -> Registry:
    return create_registry(actor=world.actor("alice"), workspace=world.workspace, slug="prod")


@pytest.fixture
def shelf(world: World, recorder: Recorder, settings: Any) -> Recorder:
    """The world's upstream takes publishes."""
    settings.ALLOWED_PRIVATE_NETWORKS = (parse_network("127.0.0.0/8"),)
    BREAKERS._counts.clear()
    Upstream.objects.filter(pk=world.upstream.pk).update(url=recorder.url)
    take_publishes(recorder)
    return recorder


def follow(client: Client, address: str, **fields: str) -> str:
    """Post, and read the page one comes back to."""
    answer = client.post(address, fields, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def test_a_version_is_promoted(sign_in: Callable[[str], Client], put: Callable[..., Version], prod: Registry) -> None:
    bob = sign_in("bob")
    put("@acme/http", "1.0.0", dependencies={"@acme/log": "1", "left": "1"})
    put("@acme/log", "1.2.0")
    page = bob.get(V).content.decode()
    assert '<option value="registry:prod">prod</option>' in page
    assert "upstream:outside" not in page  # admins alone send things outside
    said = follow(bob, f"{V}push/", where="registry:prod", dependencies="on")
    assert "@acme/http@1.0.0, @acme/log@1.2.0 are in prod now." in said
    assert "Left out: left (acme/main does not hold it)." in said
    assert set(Version.objects.filter(package__registry=prod).values_list("version", "origin")) == {
        ("1.0.0", "pushed"),
        ("1.2.0", "pushed"),
    }
    assert "Nothing to do: prod has the same bytes already." in follow(bob, f"{P}push/", where="registry:prod")
    assert "pushed by bob" in " ".join(bob.get("/acme/registries/prod/npm/@acme/http/").content.decode().split())


def test_what_is_refused_is_told_where_one_came_from(alice: Client, put: Callable[..., Version], prod: Registry, world: World) -> None:
    put("@acme/http", "1.0.0")
    follow(alice, f"{P}push/", where="registry:prod")
    alice.post("/acme/registries/prod/npm/@acme/http/v/1.0.0/delete/", {"confirm": "yes"})
    assert "was deleted from acme/prod earlier" in follow(alice, f"{V}push/", where="registry:prod")
    assert "has no upstream" in follow(alice, f"{V}push/", where="upstream:nowhere")
    assert "rule 2" in follow(alice, f"{P}pull/", upstream="outside", versions="latest")


def test_into_a_public_registry_it_asks_first(alice: Client, put: Callable[..., Version], prod: Registry) -> None:
    put("@acme/http", "1.0.0")
    Registry.objects.filter(pk=prod.pk).update(visibility="public")
    assert "Anybody may read prod" in alice.post(f"{V}push/", {"where": "registry:prod"}).content.decode()
    assert not Version.objects.filter(package__registry=prod).exists()
    follow(alice, f"{V}push/", where="registry:prod", confirm="yes")
    assert Version.objects.filter(package__registry=prod).exists()


def test_disclosing_wants_the_name_typed(alice: Client, put: Callable[..., Version], shelf: Recorder) -> None:
    put("@acme/http", "1.0.0")
    asked = alice.post(f"{V}push/", {"where": "upstream:outside"}).content.decode()
    assert "Disclose @acme/http@1.0.0 to outside?" in asked
    assert "The name stays internal here" in asked
    for fields in ({"confirm": "yes"}, {"confirm": "yes", "typed": "@acme/other"}):
        answer = alice.post(f"{V}push/", {"where": "upstream:outside", **fields})
        assert (answer.status_code, "That is another name." in answer.content.decode()) == (400, True)
    assert shelf.seen == []
    said = follow(alice, f"{V}push/", where="upstream:outside", confirm="yes", typed="@acme/http")
    assert "@acme/http@1.0.0 is in outside now." in said
    assert list(shelf.offers["@acme/http"].versions) == ["1.0.0"]
    assert Event.objects.filter(action="version.disclosed", actor="alice").count() == 1


def test_publishing_outside_asks_too(alice: Client, put: Callable[..., Version], shelf: Recorder, world: World) -> None:
    put("open-x", "1.0.0")
    set_internal(actor=world.actor("alice"), registry=world.main, format="npm", name="open-x", version="1.0.0", internal=False)
    address = "/acme/registries/main/npm/open-x/push/"
    assert "Publish open-x at outside?" in alice.post(address, {"where": "upstream:outside"}).content.decode()
    assert shelf.seen == []
    assert "open-x@1.0.0 is in outside now." in follow(alice, address, where="upstream:outside", confirm="yes")
    assert not Event.objects.filter(action="version.disclosed").exists()


def test_nobody_is_asked_for_a_yes_to_what_is_refused(alice: Client, put: Callable[..., Version], shelf: Recorder, world: World) -> None:
    put("@acme/http", "1.0.0")
    Upstream.objects.filter(pk=world.upstream.pk).update(patterns=["@partner/*"])
    said = follow(alice, f"{V}push/", where="upstream:outside")
    assert "Upstream outside is not for @acme/http: its patterns do not fit." in said
    assert "Disclose" not in said
    assert shelf.seen == []


@pytest.mark.django_db(transaction=True)
def test_pulling(sign_in: Callable[[str], Client], shelf: Recorder) -> None:
    bob = sign_in("bob")
    shelf.add("left", "1.0.0", "1.1.0")
    absent = bob.get("/acme/registries/main/npm/left/")
    assert (absent.status_code, "Pull from upstream" in absent.content.decode()) == (404, True)
    assert "left@1.1.0 is in main now." in follow(bob, "/acme/registries/main/npm/left/pull/", versions="latest", upstream="outside")
    page = follow(bob, "/acme/registries/main/npm/left/pull/", versions="^1.0.0, latest", upstream="")
    assert "left@1.0.0 is in main now. 1 version was there already." in page
    assert "Pull from upstream" in page


def test_who_may_only_read_is_offered_nothing(sign_in: Callable[[str], Client], put: Callable[..., Version], prod: Registry) -> None:
    put("@acme/http", "1.0.0")
    rita = sign_in("rita")
    for address in (P, V, "/acme/registries/main/npm/left/"):
        page = rita.get(address).content.decode()
        assert "push/" not in page
        assert "pull/" not in page


def test_what_an_operator_keeps_for_reading_is_not_published_with(
    alice: Client, world: World, put: Callable[..., Version], sign_in: Callable[[str], Client], settings: Any
) -> None:
    settings.UPSTREAM_VARIABLES = {"UPSTREAM_PARTNER": "of-the-environment"}
    User.objects.create_superuser("root", password=PASSWORD)
    root = sign_in("root")
    assert "Admins may publish there" in root.get(f"{MAIN}upstreams/").content.decode()
    assert "Admins may publish there" not in alice.get(f"{MAIN}upstreams/").content.decode()
    fields = {"name": "partner", "url": "https://p.example.org", "priority": "5", "auth_type": "bearer", "enabled": "on"}
    assert root.post(f"{MAIN}upstreams/", {**fields, "secret": "${UPSTREAM_PARTNER}"}).status_code == 302
    address = f"{MAIN}upstreams/{Upstream.objects.get(name='partner').pk}/"
    put("open-x", "1.0.0")
    said = follow(alice, "/acme/registries/main/npm/open-x/push/", where="upstream:partner")
    assert "An operator can publish there" in said
    assert "only an operator of the installation publishes there" in alice.get(address).content.decode()
    assert root.post(address, {**fields, "allow_push": "on"}).status_code == 302
    assert "only an operator of the installation publishes there" not in alice.get(address).content.decode()
    assert alice.post(address, {**fields, "priority": "9"}).status_code == 302
    assert Upstream.objects.get(name="partner").allows_push, "an admin's form does not have the word, and does not take it back"
    assert (
        "Disclose open-x to partner?"
        in alice.post("/acme/registries/main/npm/open-x/push/", {"where": "upstream:partner"}).content.decode()
    )
