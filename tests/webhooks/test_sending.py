"""Failures, back-off, time-outs, addresses, redirects, and endpoints that are switched off."""

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.api.cast import ACME, Cast
from tests.parts.pack import pack
from tests.parts.receiver import Receiver
from tests.webhooks.conftest import work
from upstreams.selectors.alerts import alerts_told
from webhooks.models import Delivery, Webhook
from webhooks.services import deliveries, sending
from webhooks.services.hooks import Changes, change_webhook, create_webhook, remove_webhook
from workspaces.models import Event
from workspaces.selectors import alert_groups

Make = Callable[..., tuple[Webhook, str]]
DOWN: tuple[int, dict[str, str], bytes] = (500, {}, b"out of <b>order</b>\x00")


def published(cast: Cast, hook: Make, version: str = "3.0.0") -> Delivery:
    """One delivery that waits."""
    hook("publish")
    cast.publish(pack("@acme/foo", version))
    work()
    return Delivery.objects.get()


def wait_of(delivery: Delivery) -> float:
    """Seconds from the last try to the next."""
    assert delivery.next_at is not None
    assert delivery.last_at is not None
    return (delivery.next_at - delivery.last_at).total_seconds()


def test_it_is_tried_again_with_growing_pauses_and_the_same_bytes(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [DOWN]
    delivery, waits = published(cast, hook), []
    while delivery.state == "waiting":
        waits.append(wait_of(delivery))
        work(later=timedelta(days=1))
        delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.next_at) == ("failed", 9, None)
    assert all(abs(wait / wanted - 1) <= 0.11 for wait, wanted in zip(waits, sending.BACK_OFF, strict=True))
    assert len({message.headers["webhook-id"] for message in receiver.messages}) == 1
    assert len({message.body for message in receiver.messages}) == 1
    assert len(receiver.messages) == 9
    assert (delivery.status, delivery.trouble) == (500, "It answered 500.")
    assert delivery.excerpt == "out of <b>order</b>\ufffd"
    work(later=timedelta(days=1))
    assert len(receiver.messages) == 9


def test_well_again_it_is_delivered_and_nothing_is_held_against_it(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [DOWN, (200, {}, b"ok")]
    delivery = published(cast, hook)
    assert (delivery.state, Webhook.objects.get().failures) == ("waiting", 1)
    work()
    assert len(receiver.messages) == 1, "its pause is kept"
    work(later=timedelta(minutes=1))
    delivery.refresh_from_db()
    webhook = Webhook.objects.get()
    assert (delivery.state, delivery.attempts, delivery.excerpt) == ("delivered", 2, "ok")
    assert (webhook.failures, webhook.failing_since, webhook.paused_until) == (0, None, None)


def test_a_receiver_may_ask_for_more_time(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "999999"}, b"")]
    delivery = published(cast, hook)
    assert wait_of(delivery) == sending.LONGEST_WISH


def test_redirects_are_not_followed(cast: Cast, hook: Make, receiver: Receiver) -> None:
    with Receiver() as elsewhere:
        for status in (301, 302, 307, 308):
            receiver.answers = [(status, {"Location": elsewhere.url}, b"")]
            Webhook.objects.all().delete()
            assert published(cast, hook, f"{status}.0.0").trouble == f"It answered {status}; redirects are not followed."
        assert elsewhere.messages == []


def test_one_that_does_not_answer_in_time(cast: Cast, hook: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "READ", 0.2)
    receiver.wait = 5
    delivery = published(cast, hook)
    assert (delivery.trouble, delivery.status) == ("It did not answer in time.", None)


def test_nobody_there(cast: Cast, hook: Make, receiver: Receiver) -> None:
    made, _ = hook("publish")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        Webhook.objects.filter(pk=made.pk).update(url=f"http://127.0.0.1:{free.getsockname()[1]}/")
    cast.publish(pack("@acme/foo", "3.0.0"))
    work()
    assert "cannot be reached (connection refused)" in Delivery.objects.get().trouble


@pytest.mark.parametrize("address", ["10.0.0.7", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.7"])
def test_a_name_that_leads_to_a_private_address_later_is_not_reached(
    cast: Cast, hook: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, settings: Any, address: str
) -> None:
    """DNS rebinding: public when it was saved, private when it is sent to."""
    made, _ = hook("publish")
    Webhook.objects.filter(pk=made.pk).update(url="http://hooks.example.org/x")
    settings.ALLOWED_PRIVATE_NETWORKS = ()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(family, socket.SOCK_STREAM, 6, "", (address, 80))])
    cast.publish(pack("@acme/foo", "3.0.0"))
    work()
    delivery = Delivery.objects.get()
    assert delivery.trouble == "Its address is not public; an operator can allow it with ALLOWED_PRIVATE_NETWORKS. Nothing was sent."
    assert (delivery.status, delivery.excerpt) == (None, "")
    assert receiver.messages == []


def test_switched_off_it_is_sent_nothing_more(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [DOWN]
    delivery = published(cast, hook)
    alice, webhook = cast.actor("alice"), Webhook.objects.get()
    change_webhook(actor=alice, webhook=webhook, changes=Changes(active=False))
    cast.publish(pack("@acme/foo", "4.0.0"))
    work(later=timedelta(days=2))
    delivery.refresh_from_db()
    assert (delivery.state, len(receiver.messages), Delivery.objects.count()) == ("dropped", 1, 1)
    receiver.answers = [(200, {}, b"")]
    change_webhook(actor=alice, webhook=webhook, changes=Changes(active=True))
    work(later=timedelta(days=2))
    assert len(receiver.messages) == 1, "what happened meanwhile is not made up for"
    cast.publish(pack("@acme/foo", "5.0.0"))
    work()
    assert receiver.messages[-1].told["data"]["version"] == "5.0.0"


@pytest.mark.parametrize(("answer", "state"), [((500, {}, b""), "dropped"), ((200, {}, b""), "delivered")])
def test_switched_off_while_it_is_sent(
    cast: Cast, hook: Make, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, dict[str, str], bytes], state: str
) -> None:
    """What is under way ends as it ends, and is not tried again."""
    receiver.answers = [answer]
    asked = sending.attempt

    def meanwhile(webhook: Webhook, delivery: Delivery) -> sending.Outcome:
        outcome = asked(webhook, delivery)
        change_webhook(actor=cast.actor("alice"), webhook=webhook, changes=Changes(active=False))
        return outcome

    monkeypatch.setattr(sending, "attempt", meanwhile)
    delivery = published(cast, hook)
    work(later=timedelta(days=2))
    assert (delivery.state, delivery.next_at, len(receiver.messages)) == (state, None, 1)
    assert not Webhook.objects.get().is_active
    assert not Event.objects.filter(action="alert.webhook_disabled").exists()


def test_one_that_fails_holds_up_no_other(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [DOWN]
    with Receiver() as well:
        create_webhook(actor=cast.actor("alice"), workspace=cast.acme, url=well.url, events=["publish"])
        hook("publish")
        for version in ("3.0.0", "3.1.0"):
            cast.publish(pack("@acme/foo", version))
            work()
        assert [message.told["data"]["version"] for message in well.messages] == ["3.0.0", "3.1.0"]
    assert len(receiver.messages) == 1


def test_old_deliveries_are_forgotten_and_what_waits_is_kept(cast: Cast, hook: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = hook("publish")
    monkeypatch.setattr(deliveries, "MOST", 2)
    for number in range(5):
        cast.publish(pack("@acme/foo", f"3.{number}.0"))
    work()
    waiting = deliveries.send_test(actor=cast.actor("alice"), webhook=made)
    deliveries.forget_deliveries()
    assert Delivery.objects.count() == 2
    Delivery.objects.exclude(pk=waiting.pk).update(created_at=timezone.now() - timedelta(days=31))
    deliveries.forget_deliveries()
    assert list(Delivery.objects.all()) == [waiting]


def test_removed_while_it_waits(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [DOWN]
    published(cast, hook)
    remove_webhook(actor=cast.actor("alice"), webhook=Webhook.objects.get())
    work(later=timedelta(days=2))
    assert (len(receiver.messages), Delivery.objects.count()) == (1, 0)


def test_after_days_of_failures_it_is_switched_off_and_somebody_told(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [DOWN]
    published(cast, hook)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=4), failures=5)
    work(later=timedelta(days=1))
    assert Webhook.objects.get().is_active, "ten in a row are wanted too"
    Webhook.objects.update(failures=9)
    work(later=timedelta(days=1))
    webhook = Webhook.objects.get()
    assert (webhook.is_active, webhook.reason) == (False, "failures")
    (alert,) = [one for one in alerts_told(cast.acme, list(alert_groups(cast.acme))) if one.action == "alert.webhook_disabled"]
    assert receiver.url.removesuffix("/hook") in alert.sentence
    assert "/hook" not in alert.sentence, "a path may have a key in it"
    assert not Delivery.objects.exclude(next_at=None).exists()


def test_gone_is_gone(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [(410, {}, b"")]
    published(cast, hook)
    webhook = Webhook.objects.get()
    assert (webhook.is_active, webhook.reason) == (False, "gone")
    assert Event.objects.filter(action="alert.webhook_disabled").count() == 1


def test_a_worker_that_died_is_made_up_for(cast: Cast, hook: Make, receiver: Receiver) -> None:
    made, _ = hook("publish")
    cast.publish(pack("@acme/foo", "3.0.0"))
    Webhook.objects.filter(pk=made.pk).update(held_until=timezone.now() + timedelta(seconds=60))
    work()
    assert receiver.messages == [], "another worker has it"
    Webhook.objects.filter(pk=made.pk).update(held_until=timezone.now() - timedelta(seconds=1))
    work()
    assert len(receiver.messages) == 1


def test_a_secret_that_cannot_be_opened_is_said(cast: Cast, hook: Make, receiver: Receiver) -> None:
    made, _ = hook("publish")
    Webhook.objects.filter(pk=made.pk).update(secret_sealed=b"x")
    cast.publish(pack("@acme/foo", "3.0.0"))
    work()
    assert "rotate it" in Delivery.objects.get().trouble
    assert receiver.messages == []


def test_a_long_answer_is_kept_in_part(cast: Cast, hook: Make, receiver: Receiver) -> None:
    receiver.answers = [(200, {}, b"a" * 5_000_000)]
    assert published(cast, hook).excerpt == "a" * 1000


def test_by_rest_it_is_made_tried_and_sent_again(cast: Cast, receiver: Receiver) -> None:
    made = cast.call("alice", "POST", ACME + "webhooks/", {"url": receiver.url, "events": ["job", "publish"]})
    assert made.status_code == 201
    below = f"{ACME}webhooks/{made.json()['id']}/"
    tested = cast.call("alice", "POST", below + "test/")
    assert (tested.status_code, tested.json()["state"], tested.json()["type"]) == (202, "waiting", "test")
    work()
    shown = cast.get(f"{below}deliveries/{tested.json()['id']}/")
    assert (shown["state"], shown["status"], shown["attempts"]) == ("delivered", 204, 1)
    assert shown["body"].encode() == receiver.messages[0].body
    assert cast.call("adam", "POST", f"{below}deliveries/{shown['id']}/redeliver/").status_code == 202
    work()
    assert [message.headers["webhook-id"] for message in receiver.messages] == [shown["message_id"]] * 2
    assert cast.get(below + "deliveries/?state=delivered&type=test")["count"] == 1
    assert cast.get(below + "deliveries/?state=failed")["count"] == 0
