"""Upstreams are put in order: by the whole list, and one step at a time."""

from django.test import Client

from tests.web.addresses import MAIN, text
from tests.web.conftest import World
from upstreams.models import Upstream
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish
from workspaces.models import Event
from workspaces.services.audit import SYSTEM, record


def test_arrows_and_dragging_put_upstreams_in_order(alice: Client, world: World) -> None:
    for name in ("two", "three"):
        create_upstream(actor=world.actor("alice"), registry=world.main, wish=UpstreamWish(name=name, url="https://registry.example.org"))
    first, second, third = ids = [row.pk for row in Upstream.objects.order_by("priority", "id")]
    page = text(alice, f"{MAIN}upstreams/")
    assert f'value="{first},{second},{third}"' in page
    assert page.count('draggable="true"') == 3

    def post(**fields: object) -> list[int]:
        assert alice.post(f"{MAIN}upstreams/order/", fields).status_code == 302
        return list(Upstream.objects.order_by("priority", "id").values_list("pk", flat=True))

    given = ",".join(map(str, ids))
    assert post(ids=given, up=third) == [first, third, second]
    assert post(ids=f"{first},{third},{second}", down=first) == [third, first, second]
    assert post(ids=given) == ids
    assert post(ids=given, up=first) == ids, "it is the first already"
    assert post(ids=f"{first},{second}") == ids, "somebody added one meanwhile: nothing changes"
    assert list(Upstream.objects.order_by("priority").values_list("priority", flat=True)) == [10, 20, 30]
    assert Event.objects.filter(action="upstreams.ordered").count() == 3
    for wrong in ("", "x", f"{first},{first}", "1" * 20):
        assert alice.post(f"{MAIN}upstreams/order/", {"ids": wrong}).status_code == 400


def test_rest_puts_them_in_order_too(alice: Client, world: World) -> None:
    create_upstream(actor=world.actor("alice"), registry=world.main, wish=UpstreamWish(name="two", url="https://registry.example.org"))
    first, second = (row.pk for row in Upstream.objects.order_by("priority", "id"))
    address = "/api/v1/workspaces/acme/registries/main/upstreams/order/"
    answer = alice.put(address, {"ids": [second, first]}, content_type="application/json")
    listed = alice.get(address.replace("order/", "")).json()["results"]
    assert (answer.status_code, [one["name"] for one in listed]) == (204, ["two", "outside"])
    stale = alice.put(address, {"ids": [second]}, content_type="application/json")
    assert (stale.status_code, stale.json()["code"]) == (409, "order_outdated")
    assert alice.put(address, {"ids": [first, first]}, content_type="application/json").status_code == 400


def test_a_preset_fills_the_form_in_and_trouble_is_told(alice: Client, world: World) -> None:
    page = text(alice, f"{MAIN}upstreams/?preset=github")
    assert 'value="https://npm.pkg.github.com"' in page
    assert "in trouble" not in page
    new = {"sentence": "outside refused our credentials.", "code": "x"}
    record(SYSTEM, "upstream.trouble", "acme/main outside", workspace=world.workspace, new=new)
    assert "outside refused our credentials." in text(alice, f"{MAIN}upstreams/").partition("in trouble")[2]
