"""Webhooks over REST: what is refused, what is shown and what never is."""

import base64
from typing import Any

import pytest

from tests.api.cast import ACME, Cast, census
from webhooks.models import Delivery, Webhook
from webhooks.services.hooks import MOST, secrets_held
from workspaces.models import Event

HOOKS = ACME + "webhooks/"
NEW = {"url": "https://hooks.example.org/x", "events": ["publish", "alert"]}
OWN = "whsec_" + base64.b64encode(b"k" * 24).decode()


def made(cast: Cast, **more: Any) -> Any:
    answer = cast.call("adam", "POST", HOOKS, {**NEW, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_its_secret_is_shown_once_and_kept_sealed(cast: Cast) -> None:
    new = made(cast)
    secret = new.pop("secret")
    assert (new["url"], new["events"], new["active"], new["reason"]) == (NEW["url"], ["publish", "alert"], True, "")
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret[6:])) == 32
    one = f"{HOOKS}{new['id']}/"
    assert cast.get(one) == new
    patched = cast.call("alice", "PATCH", one, {"active": False}).json()
    assert (patched["active"], patched["reason"]) == (False, "switched_off")
    told = [cast.call("alice", "GET", path).content.decode() for path in (HOOKS, one, one + "deliveries/", ACME + "events/")]
    rows = str(census())
    assert secret not in "".join(told) + rows
    assert base64.b64decode(secret[6:]) not in bytes(Webhook.objects.get(pk=new["id"]).secret_sealed)


def test_a_rotation_lets_both_sign_for_a_day(cast: Cast) -> None:
    new = made(cast, secret=OWN)
    assert new["secret"] == OWN
    rotated = cast.call("alice", "POST", f"{HOOKS}{new['id']}/rotate/", {})
    assert rotated.status_code == 200
    webhook = Webhook.objects.get(pk=new["id"])
    assert secrets_held(webhook) == [rotated.json()["secret"], OWN]
    Webhook.objects.update(former_until=webhook.created_at)
    webhook.refresh_from_db()
    assert secrets_held(webhook) == [rotated.json()["secret"]]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"url": "ftp://hooks.example.org"}, "url"),
        ({"url": "https://user:pass@hooks.example.org/"}, "url"),
        ({"url": "https://hooks.example.org/#x"}, "url"),
        ({"url": "https://hooks.example.org:99999/"}, "url"),
        ({"url": "https://[::1"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://localhost/"}, "url"),
        ({"url": "http://2130706433/"}, "url"),
        ({"url": "http://0x7f.1/"}, "url"),
        ({"url": "http://169.254.169.254/latest/"}, "url"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "url"),
        ({"url": "https://höoks.example.org/"}, "url"),
        ({"url": "https://hooks.example.org/\r\nX: y"}, "url"),
        ({"url": "x" * 501}, "url"),
        ({"url": 5}, "url"),
        ({"url": None}, "url"),
        ({"events": []}, "events"),
        ({"events": ["everything"]}, "events"),
        ({"events": "publish"}, "events"),
        ({"events": [["publish"]]}, "events.0"),
        ({"events": ["test"]}, "events"),
        ({"active": "yes"}, "active"),
        ({"secret": "short"}, "secret"),
        ({"secret": "whsec_" + base64.b64encode(b"k" * 23).decode()}, "secret"),
        ({"secret": "whsec_not base64!"}, "secret"),
        ({"reason": ""}, "reason"),
    ],
)
def test_what_is_refused(cast: Cast, wrong: dict[str, Any], field: str) -> None:
    before = census()
    refused = cast.call("alice", "POST", HOOKS, {**NEW, **wrong})
    changed = cast.call("alice", "PATCH", f"{HOOKS}{cast.webhook.pk}/", wrong)
    for answer in (refused, changed):
        assert (answer.status_code, set(answer.json()["fields"])) == (400, {field}), answer.content
    assert census() == before


def test_no_more_than_so_many(cast: Cast) -> None:
    for _ in range(MOST - 1):
        made(cast)
    before = census()
    answer = cast.call("alice", "POST", HOOKS, NEW)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")
    assert census() == before


def test_switched_off_nothing_is_tried(cast: Cast) -> None:
    below = f"{HOOKS}{cast.webhook.pk}/"
    cast.call("alice", "PATCH", below, {"active": False})
    before = census()
    for path in ("test/", f"deliveries/{cast.delivery.pk}/redeliver/"):
        answer = cast.call("alice", "POST", below + path, {})
        assert (answer.status_code, answer.json()["code"]) == (409, "webhook_inactive")
    assert census() == before
    assert Delivery.objects.get().state == "dropped"


def test_a_delivery_of_another_webhook_is_not_there(cast: Cast) -> None:
    other = made(cast)["id"]
    for method, path in (("GET", ""), ("POST", "redeliver/")):
        answer = cast.call("alice", method, f"{HOOKS}{other}/deliveries/{cast.delivery.pk}/{path}", None)
        assert (answer.status_code, answer.json()["code"]) == (404, "delivery_not_found")
    assert cast.get(f"{HOOKS}{other}/deliveries/")["count"] == 0
    assert cast.call("alice", "GET", f"{HOOKS}{other}/deliveries/?state=lost").status_code == 400


def test_every_act_is_in_the_log_without_the_path(cast: Cast) -> None:
    one = f"{HOOKS}{made(cast, url='https://hooks.example.org/key-in-a-path')['id']}/"
    cast.call("alice", "PATCH", one, {"events": ["job"]})
    cast.call("alice", "PATCH", one, {"events": ["job"]})
    cast.call("alice", "POST", one + "rotate/", {})
    cast.call("alice", "DELETE", one)
    told = Event.objects.filter(action__startswith="webhook.", object=f"webhook {one.split('/')[-2]}").order_by("pk")
    assert [event.action for event in told] == [f"webhook.{act}" for act in ("created", "changed", "secret_rotated", "removed")]
    assert "key-in-a-path" not in str([(event.old, event.new) for event in told])
