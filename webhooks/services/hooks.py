"""Webhooks as people make, change, try and remove them: admins and owners of the workspace."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from upstreams.clients.guard import how_to_allow, is_reachable, literal
from webhooks.errors import TooManyWebhooks, WebhookInvalid, WebhookNotFound
from webhooks.kinds import KINDS
from webhooks.models import Delivery, Webhook
from webhooks.signing import key_of, new_secret
from workspaces.access import Action, Actor
from workspaces.errors import Denied
from workspaces.models import Event, Workspace
from workspaces.seal import seal, unseal
from workspaces.services.audit import record

PURPOSE = "gatehouse webhook secrets"
MOST = 20  # of a workspace
LONGEST = 500  # characters of an address
OVERLAP = timedelta(hours=24)  # how long a former secret signs too


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What may change of a webhook; None leaves it."""

    url: str | None = None
    events: list[str] | None = None
    active: bool | None = None
    secret: str | None = None


@transaction.atomic
def create_webhook(
    *, actor: Actor, workspace: Workspace, url: str, events: list[str], active: bool = True, secret: str = ""
) -> tuple[Webhook, str]:
    """A new one, and its secret, which is told this once. It is told what happens from now on.

    Raises Denied, WebhookInvalid, TooManyWebhooks.
    """
    may_change(actor, workspace)
    Workspace.objects.select_for_update().get(pk=workspace.pk)  # two at once do not make one too many
    if Webhook.objects.filter(workspace=workspace).count() >= MOST:
        raise TooManyWebhooks(f"A workspace has at most {MOST} webhooks; remove one first.")
    secret = _checked_secret(secret) if secret else new_secret()
    made = Webhook.objects.create(
        workspace=workspace,
        url=check_address(url),
        events=_checked_events(events),
        is_active=active,
        reason=Webhook.Reason.NONE if active else Webhook.Reason.PERSON,
        secret_sealed=seal(secret, PURPOSE),
        seen_through=newest_event(),
    )
    record(actor, "webhook.created", _subject(made), workspace=workspace, new=describe(made))
    return made, secret


@transaction.atomic
def change_webhook(*, actor: Actor, webhook: Webhook, changes: Changes) -> Webhook:
    """Change it. Switched off, it is sent nothing more, not even what waits; switched on, what happens from then on.

    Raises Denied, WebhookInvalid, WebhookNotFound.
    """
    may_change(actor, webhook.workspace)
    fresh = locked(webhook)
    old = describe(fresh)
    if changes.url is not None and changes.url != fresh.url:
        fresh.url = check_address(changes.url)
        fresh.failing_since, fresh.failures, fresh.paused_until = None, 0, None
    if changes.events is not None:
        fresh.events = _checked_events(changes.events)
    if changes.active is not None and changes.active != fresh.is_active:
        switch_on(fresh) if changes.active else switch_off(fresh, Webhook.Reason.PERSON)
    if changes.secret is not None:
        _take_secret(fresh, _checked_secret(changes.secret))
    fresh.save()
    new = {**describe(fresh), **({"secret": "replaced"} if changes.secret is not None else {})}
    if new != old:
        record(actor, "webhook.changed", _subject(fresh), workspace=fresh.workspace_id, old=old, new=new)
    return fresh


@transaction.atomic
def rotate_secret(*, actor: Actor, webhook: Webhook) -> tuple[Webhook, str]:
    """Another secret, told this once; the one before signs beside it for a day. Raises Denied, WebhookNotFound."""
    may_change(actor, webhook.workspace)
    fresh, secret = locked(webhook), new_secret()
    _take_secret(fresh, secret)
    fresh.save()
    record(actor, "webhook.secret_rotated", _subject(fresh), workspace=fresh.workspace_id, new={"host": host_of(fresh.url)})
    return fresh, secret


@transaction.atomic
def remove_webhook(*, actor: Actor, webhook: Webhook) -> None:
    """Remove it, with what waits and what is told of its deliveries. Raises Denied."""
    may_change(actor, webhook.workspace)
    old = describe(webhook)
    record(actor, "webhook.removed", _subject(webhook), workspace=webhook.workspace_id, old=old)
    webhook.delete()


def may_change(actor: Actor, workspace: Workspace) -> None:
    """Nothing, for whoever may change the webhooks. Raises Denied."""
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace change its webhooks.")


def locked(webhook: Webhook) -> Webhook:
    """The row as it is, kept from others until the end of the transaction. Raises WebhookNotFound."""
    fresh = Webhook.objects.select_for_update(of=("self",)).select_related("workspace").filter(pk=webhook.pk).first()
    if fresh is None:
        raise WebhookNotFound("There is no such webhook in this workspace.")
    return fresh


def switch_on(webhook: Webhook) -> None:
    """Tell it what happens from now on; what happened meanwhile is not made up for. The caller saves."""
    webhook.is_active, webhook.reason = True, Webhook.Reason.NONE
    webhook.failing_since, webhook.failures, webhook.paused_until = None, 0, None
    webhook.seen_through = newest_event()


def switch_off(webhook: Webhook, reason: str) -> None:
    """Drop what waits. The caller saves."""
    webhook.is_active, webhook.reason = False, reason
    waiting = Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING)
    waiting.update(state=Delivery.State.DROPPED, next_at=None)


def secrets_held(webhook: Webhook) -> list[str]:
    """Those that sign now, the present one first. Raises SealBroken."""
    found = [unseal(bytes(webhook.secret_sealed), PURPOSE)]
    if webhook.former_sealed is not None and webhook.former_until is not None and webhook.former_until > timezone.now():
        found.append(unseal(bytes(webhook.former_sealed), PURPOSE))
    return found


def newest_event() -> int:
    """The number of the newest event there is."""
    return int(Event.objects.aggregate(newest=Max("id"))["newest"] or 0)


def host_of(url: str) -> str:
    """Scheme and host: an address may have a key in its path, which logs and alerts do not repeat."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def describe(webhook: Webhook) -> dict[str, object]:
    """The webhook for the audit log."""
    return {"host": host_of(webhook.url), "events": webhook.events, "active": webhook.is_active}


def check_address(url: str) -> str:
    """An address that may be reached. Raises WebhookInvalid. What its name resolves to is judged whenever it is sent to."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise _refused("url", "The address cannot be read, or has no valid port.") from None
    plain = url.isascii() and url.isprintable() and " " not in url and "@" not in parts.netloc and not parts.fragment
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or len(url) > LONGEST:
        raise _refused("url", "An address is https://host[:port]/path in ASCII, without user name, password and fragment.")
    spelled = literal(parts.hostname)
    if spelled is not None and not is_reachable(spelled, port, settings.ALLOWED_PRIVATE_NETWORKS):
        raise _refused("url", f"The address {parts.hostname} is not public. {how_to_allow(spelled)}")
    return url


def _checked_events(events: list[str]) -> list[str]:
    strange = [word for word in events if word not in KINDS]
    if strange or not events:
        raise _refused("events", f"events names at least one of {', '.join(KINDS)}.")
    return [word for word in KINDS if word in events]


def _checked_secret(secret: str) -> str:
    try:
        key_of(secret)
    except ValueError as error:
        raise _refused("secret", str(error)) from None
    return secret


def _take_secret(webhook: Webhook, secret: str) -> None:
    webhook.former_sealed, webhook.former_until = webhook.secret_sealed, timezone.now() + OVERLAP
    webhook.secret_sealed = seal(secret, PURPOSE)


def _subject(webhook: Webhook) -> str:
    return f"webhook {webhook.pk}"


def _refused(field: str, sentence: str) -> WebhookInvalid:
    return WebhookInvalid(sentence, fields={field: sentence})
