"""Secrets of a workspace, the settings of an upstream that name them, and its test, in the browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from tests.parts.website import PAGE, Reply, Website
from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.clients.guard import parse_network
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from upstreams.targets import target_of
from workspaces.models import Event, Secret
from workspaces.services.secrets import add_secret, opened

VALUE = "value-of-the-secret-7f3a"
NEW = {"name": "PARTNER_TOKEN", "value": VALUE}
FORM = {"name": "partner", "url": "https://registry.example.org", "priority": "5", "auth_type": "bearer", "enabled": "on"}
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    settings.ALLOWED_PRIVATE_NETWORKS = (parse_network("127.0.0.0/8"),)
    cache.clear()


def partner(world: World, secret: str = "${PARTNER_TOKEN}", url: str = "https://registry.example.org") -> Upstream:
    if not Secret.objects.exists():
        add_secret(actor=world.actor("alice"), workspace=world.workspace, name="PARTNER_TOKEN", value=VALUE)
    wish = UpstreamWish(name="partner", url=url, auth_type="bearer", secret=secret)
    return create_upstream(actor=world.actor("alice"), registry=world.main, wish=wish)


def test_a_secret_is_added_listed_replaced_and_removed(alice: Client, world: World) -> None:
    assert "No secrets yet" in text(alice, "/acme/secrets/")
    assert alice.post("/acme/secrets/", NEW).status_code == 302
    assert "PARTNER_TOKEN" in text(alice, "/acme/secrets/")
    assert alice.post("/acme/secrets/PARTNER_TOKEN/", {"value": "another one"}).status_code == 302
    assert opened(Secret.objects.get()) == "another one"
    asked = alice.post("/acme/secrets/PARTNER_TOKEN/remove/").content.decode()
    assert "Remove the secret PARTNER_TOKEN?" in asked
    assert alice.post("/acme/secrets/PARTNER_TOKEN/remove/", {"confirm": "yes"}).status_code == 302
    assert not Secret.objects.exists()
    told = [(event.action, event.object) for event in Event.objects.filter(action__startswith="secret.").order_by("pk")]
    assert told == [(f"secret.{act}", "PARTNER_TOKEN") for act in ("added", "replaced", "removed")]
    shown = text(alice, "/acme/activity/") + str(list(Event.objects.values_list("old", "new")))
    assert not [word for word in (VALUE, "another one") if word in shown]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"name": "lower"}, 400),
        ({"name": "1ST"}, 400),
        ({"name": "UPSTREAM_TOKEN"}, 400),
        ({"name": "A" * 65}, 400),
        ({"name": ""}, 400),
        ({"value": ""}, 400),
        ({"value": "nul\0"}, 400),
        ({"name": "TAKEN"}, 409),
    ],
)
def test_what_is_refused_is_said_and_no_value_comes_back(alice: Client, world: World, wrong: dict[str, str], status: int) -> None:
    add_secret(actor=world.actor("alice"), workspace=world.workspace, name="TAKEN", value="x")
    answer = alice.post("/acme/secrets/", {**NEW, **wrong})
    assert answer.status_code == status
    assert 'class="error"' in answer.content.decode()
    assert VALUE not in answer.content.decode()
    assert Secret.objects.count() == 1


def test_one_in_use_says_by_whom_and_stays(alice: Client, world: World) -> None:
    made = partner(world)
    listed = text(alice, "/acme/secrets/")
    assert f"{MAIN}upstreams/{made.pk}/" in listed
    assert "secrets/PARTNER_TOKEN/remove/" not in listed
    answer = alice.post("/acme/secrets/PARTNER_TOKEN/remove/", {"confirm": "yes"})
    assert answer.status_code == 409
    assert "in use by main partner" in answer.content.decode()
    assert Secret.objects.exists()


@pytest.mark.parametrize("name", ["NOT_THERE", "lower", "%00", "A%0aB", "%C3%A9", "A" * 300])
def test_one_that_is_not_there(alice: Client, world: World, name: str) -> None:
    for address in (f"/acme/secrets/{name}/", f"/acme/secrets/{name}/remove/"):
        assert alice.post(address, {"value": "x", "confirm": "yes"}).status_code == 404


def test_a_refused_form_forgets_the_secret(alice: Client, world: World) -> None:
    for kind, url in (("", "not an address"), ("git", "not an address")):
        answer = alice.post(f"{MAIN}upstreams/", {**FORM, "kind": kind, "url": url, "secret": VALUE})
        assert answer.status_code == 400
        assert VALUE not in answer.content.decode()


def test_no_value_is_on_any_page(alice: Client, world: World) -> None:
    made = partner(world)
    pages = ("/acme/secrets/", "/acme/secrets/PARTNER_TOKEN/", "/acme/activity/", f"{MAIN}upstreams/", f"{MAIN}upstreams/{made.pk}/", MAIN)
    assert not [page for page in pages if VALUE in text(alice, page)]


def test_a_private_key_keeps_its_lines(alice: Client, world: World) -> None:
    key = "-----BEGIN KEY-----\nabc\n-----END KEY-----"
    assert alice.post("/acme/secrets/", {"name": "KEY", "value": f"{key}\n".replace("\n", "\r\n")}).status_code == 302
    assert opened(Secret.objects.get()) == key


def test_an_upstream_names_a_secret_and_shows_the_name(alice: Client, world: World) -> None:
    refused = alice.post(f"{MAIN}upstreams/", {**FORM, "secret": "${PARTNER_TOKEN}"})
    assert refused.status_code == 400
    assert "has no secret PARTNER_TOKEN" in refused.content.decode()
    alice.post("/acme/secrets/", NEW)
    assert alice.post(f"{MAIN}upstreams/", {**FORM, "secret": "${PARTNER_TOKEN}"}).status_code == 302
    made = Upstream.objects.get(name="partner")
    assert target_of(made).authorization == f"Bearer {VALUE}"
    assert "<code>${PARTNER_TOKEN}</code>" in text(alice, f"{MAIN}upstreams/")
    assert 'placeholder="${PARTNER_TOKEN}"' in text(alice, f"{MAIN}upstreams/{made.pk}/")
    assert alice.post(f"{MAIN}upstreams/{made.pk}/", {**FORM, "secret": "a literal"}).status_code == 302
    shown = text(alice, f"{MAIN}upstreams/{made.pk}/")
    assert 'placeholder="stored"' in shown
    assert "a literal" not in shown


def test_times_are_set_shown_and_emptied(alice: Client, world: World) -> None:
    address = f"{MAIN}upstreams/{world.upstream.pk}/"
    form = {**FORM, "name": "outside", "auth_type": "none"}
    closed = text(alice, address)
    assert re.search(r'<details class="fold inner"><summary>Times', closed)
    assert 'placeholder="60"' in closed
    times = {"negative_ttl": "0", "connect_timeout": "3", "read_timeout": "4", "total_timeout": "50"}
    assert alice.post(address, {**form, **times}).status_code == 302
    world.upstream.refresh_from_db()
    assert {name: str(getattr(world.upstream, name)) for name in times} == times
    assert '<details class="fold inner" open>' in text(alice, address)
    for wrong in ({"connect_timeout": "0"}, {"read_timeout": "301"}, {"total_timeout": "x"}, {"negative_ttl": "-1"}):
        refused = alice.post(address, {**form, **wrong})
        assert refused.status_code == 400
        assert '<details class="fold inner" open>' in refused.content.decode()
    assert alice.post(address, form).status_code == 302
    world.upstream.refresh_from_db()
    assert {getattr(world.upstream, name) for name in times} == {None}


def test_a_test_answers_in_the_page_and_without_script(alice: Client, world: World) -> None:
    with Website({"/-/ping": Reply(200, {})}) as website:
        made = partner(world, url=website.url)
        for page in (f"{MAIN}upstreams/", f"{MAIN}upstreams/{made.pk}/"):
            shown = text(alice, page)
            assert f'hx-post="{MAIN}upstreams/{made.pk}/test/" hx-target="#verdict-{made.pk}"' in shown
            assert f'id="verdict-{made.pk}"' in shown
        address = f"{MAIN}upstreams/{made.pk}/test/"
        fragment = alice.post(address, headers=HTMX).content.decode()
        assert "It works." in fragment
        assert "<html" not in fragment
        website.answers = {}
        website.otherwise = Reply(200, PAGE)
        page = alice.post(address).content.decode()
        assert "It does not work." in page
        assert "with a web page" in page
        assert "<html" in page
        assert "Sign in</title>" not in page, "nothing of what came is repeated"
    assert VALUE not in fragment + page


def test_patience_is_asked_for_in_the_page(alice: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upstreams.services.probing.PER_MINUTE", 0)
    type(world.upstream).objects.update(is_enabled=False)
    address = f"{MAIN}upstreams/{world.upstream.pk}/test/"
    alice.post(address)
    assert "wait for the next" in alice.post(address, headers=HTMX).content.decode()
    assert alice.post(address).status_code == 429


def test_readers_are_offered_neither(sign_in: Callable[[str], Client], world: World) -> None:
    rita = sign_in("rita")
    assert "/acme/secrets/" not in text(rita, "/acme/")
    assert "/test/" not in text(rita, f"{MAIN}upstreams/")
