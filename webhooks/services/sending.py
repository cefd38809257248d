"""Sending what waits: one worker at a time for each webhook, in order, with growing pauses between failures.

No transaction is open while a receiver is waited for. Addresses pass the guard of upstreams at every connection, and
redirects are not followed.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import uniform

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from upstreams.clients.http import Answer, Target, post_once
from upstreams.errors import UpstreamError, UpstreamForbiddenAddress, UpstreamTimeout
from webhooks.models import Delivery, Webhook
from webhooks.services.hooks import host_of, secrets_held, switch_off
from webhooks.signing import headers_of
from workspaces.seal import SealBroken
from workspaces.services.audit import SYSTEM, record

# Seconds after the first try, the second, …: nine in 22 hours.
BACK_OFF = (5, 30, 120, 600, 1800, 7200, 21_600, 43_200)
JITTER = 0.1
LONGEST_WISH = 3600  # seconds that a receiver's Retry-After may ask for
PAUSE = 60  # seconds the others of a webhook wait at most after a failure
STAY = 20.0  # seconds with one webhook, then another may have the worker
HOLD = timedelta(seconds=90)  # after which a worker that said nothing is taken for dead
CONNECT, READ, TOTAL = 5.0, 10.0, 15.0
EXCERPT = 1000  # characters
GIVE_UP = timedelta(days=3)
FEWEST = 10  # failures in a row
GONE = 410


@dataclass(frozen=True)
class Outcome:
    """What came of one try."""

    status: int | None = None
    millis: int = 0
    trouble: str = ""  # '' is a success
    excerpt: str = ""
    wish: int = 0  # seconds, of Retry-After


def due(now: datetime) -> list[int]:
    """The webhooks for which something waits that may be sent now."""
    waiting = Delivery.objects.filter(webhook=OuterRef("pk"), next_at__lte=now)
    return list(_free(now).filter(Exists(waiting)).values_list("pk", flat=True))


def send(webhook_id: int) -> None:
    """Send what is due, until something fails or the stay is over."""
    now, until = timezone.now(), time.monotonic() + STAY
    if not _free(now).filter(pk=webhook_id).update(held_until=now + HOLD):
        return
    try:
        while time.monotonic() < until and _send_next(webhook_id):
            Webhook.objects.filter(pk=webhook_id).update(held_until=timezone.now() + HOLD)
    finally:
        Webhook.objects.filter(pk=webhook_id).update(held_until=None)


def _free(now: datetime) -> QuerySet[Webhook]:
    over = Q(held_until=None) | Q(held_until__lte=now)
    return Webhook.objects.filter(over, Q(paused_until=None) | Q(paused_until__lte=now), is_active=True)


def _send_next(webhook_id: int) -> bool:
    """One try; False when nothing is due, or it failed. Asked anew each time: a webhook switched off is sent nothing more."""
    webhook = Webhook.objects.filter(pk=webhook_id, is_active=True).first()
    if webhook is None:
        return False
    delivery = Delivery.objects.filter(webhook=webhook, next_at__lte=timezone.now()).order_by("id").first()
    if delivery is None:
        return False
    outcome = attempt(webhook, delivery)
    _note(delivery, outcome)
    return not outcome.trouble


def attempt(webhook: Webhook, delivery: Delivery) -> Outcome:
    """Put the question and hear the answer; never raises for what the receiver does."""
    begun, body = time.monotonic(), delivery.body.encode()
    try:
        headers = headers_of(delivery.uid, int(time.time()), body, secrets_held(webhook))
        answer = post_once(
            _target(webhook), webhook.url, body, {"content-type": "application/json", "accept-encoding": "identity", **headers}
        )
    except SealBroken:
        return Outcome(trouble="Its secret cannot be read with the present OAUTH_PASSWORD; rotate it.")
    except UpstreamError as error:
        return Outcome(millis=_since(begun), trouble=_told(error))
    try:
        excerpt = _excerpt(answer)
    finally:
        answer.close()
    return Outcome(answer.status, _since(begun), _judged(answer.status), excerpt, _wish(answer))


def _target(webhook: Webhook) -> Target:
    """`is_probe`: a receiver that fails is paused by its own row, not by the breaker of upstreams."""
    return Target(
        name=host_of(webhook.url),
        url=webhook.url,
        is_probe=True,
        allowed=settings.ALLOWED_PRIVATE_NETWORKS,
        connect_timeout=CONNECT,
        read_timeout=READ,
        total_timeout=TOTAL,
    )


def _judged(status: int) -> str:
    if 200 <= status < 300:  # noqa: PLR2004 - HTTP
        return ""
    if 300 <= status < 400:  # noqa: PLR2004 - HTTP
        return f"It answered {status}; redirects are not followed."
    return f"It answered {status}."


def _told(error: UpstreamError) -> str:
    """A sentence; of an address that is not allowed the same one, whatever is there (threats.md U8)."""
    if isinstance(error, UpstreamForbiddenAddress):
        return "Its address is not public; an operator can allow it with ALLOWED_PRIVATE_NETWORKS. Nothing was sent."
    if isinstance(error, UpstreamTimeout):
        return "It did not answer in time."
    return error.message.replace(f"Upstream {error.upstream}", "It", 1)[:300]


def _excerpt(answer: Answer) -> str:
    """The beginning of a body, as text."""
    held = b""
    try:
        for piece in answer.pieces(2**40):
            held += piece
            if len(held) >= EXCERPT:
                break
    except UpstreamError:  # it broke off, or drips: what came is told
        return _text(held)
    return _text(held)


def _text(held: bytes) -> str:
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in held[:EXCERPT].decode("utf-8", "replace"))


def _wish(answer: Answer) -> int:
    raw = answer.headers.get("retry-after", "")
    return min(int(raw), LONGEST_WISH) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0  # noqa: PLR2004 - digits


def _since(begun: float) -> int:
    return int((time.monotonic() - begun) * 1000)


@transaction.atomic
def _note(delivery: Delivery, outcome: Outcome) -> None:
    """What came of it, on the delivery and on its webhook, unless either is gone."""
    webhook = Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
    fresh = Delivery.objects.filter(pk=delivery.pk).first()
    if webhook is None or fresh is None:
        return
    now = timezone.now()
    fresh.attempts, fresh.last_at, fresh.tries_left = fresh.attempts + 1, now, max(fresh.tries_left - 1, 0)
    fresh.status, fresh.millis = outcome.status, outcome.millis
    fresh.trouble, fresh.excerpt = outcome.trouble[:300], outcome.excerpt
    if not outcome.trouble:
        fresh.state, fresh.next_at = Delivery.State.DELIVERED, None
        webhook.failing_since, webhook.failures, webhook.paused_until = None, 0, None
    else:
        _again(fresh, now, outcome.wish)
        _fail(webhook, now)
    fresh.save()
    webhook.save(update_fields=["failing_since", "failures", "paused_until"])
    if outcome.trouble and webhook.is_active:
        _give_up(webhook, now, outcome)


def _again(delivery: Delivery, now: datetime, wish: int) -> None:
    """When it is tried next; never again after the last, or where it was dropped meanwhile."""
    if delivery.state != Delivery.State.WAITING:
        return
    tried = len(BACK_OFF) - delivery.tries_left
    if delivery.tries_left == 0:
        delivery.state, delivery.next_at = Delivery.State.FAILED, None
        return
    seconds = max(BACK_OFF[max(tried, 0)] * uniform(1 - JITTER, 1 + JITTER), wish)  # noqa: S311 - spreads load, hides nothing
    delivery.next_at = now + timedelta(seconds=seconds)


def _fail(webhook: Webhook, now: datetime) -> None:
    webhook.failing_since = webhook.failing_since or now
    webhook.failures += 1
    webhook.paused_until = now + timedelta(seconds=min(2 ** min(webhook.failures, 6), PAUSE))


def _give_up(webhook: Webhook, now: datetime, outcome: Outcome) -> None:
    """Switch off what said that it is gone, or has failed for days; an alert tells of it."""
    long = webhook.failures >= FEWEST and webhook.failing_since is not None and now - webhook.failing_since >= GIVE_UP
    if outcome.status != GONE and not long:
        return
    switch_off(webhook, Webhook.Reason.GONE if outcome.status == GONE else Webhook.Reason.FAILURES)
    webhook.save()
    new = {"host": host_of(webhook.url), "trouble": outcome.trouble, "failures": webhook.failures, "gone": outcome.status == GONE}
    record(SYSTEM, "alert.webhook_disabled", f"webhook {webhook.pk}", workspace=webhook.workspace_id, new=new)
