"""Acknowledging alerts: somebody looked, and says so. The events themselves stay as they are."""

from collections.abc import Iterable

from django.db import transaction

from workspaces.access import Action, Actor
from workspaces.errors import Denied, Invalid, NotFound
from workspaces.models import Acknowledgement, Event, Workspace
from workspaces.selectors import alerts
from workspaces.services.audit import record

NOTE = 500  # characters


class AlertNotFound(NotFound):
    """No such alert in this workspace."""

    code = "alert_not_found"


@transaction.atomic
def acknowledge(*, actor: Actor, workspace: Workspace, alerts_seen: Iterable[int], note: str = "") -> int:
    """Say that these alerts, and earlier ones of their kind about the same thing, have been looked at; later ones are open again.

    `alerts_seen`: ids of events. Returns how many were open. Raises Denied, Invalid, AlertNotFound.
    """
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners acknowledge alerts.")
    if len(note) > NOTE:
        raise Invalid(f"A note has at most {NOTE} characters.", fields={"note": "length"})
    wanted = set(alerts_seen)
    events = list(alerts(workspace).filter(pk__in=wanted).order_by("pk"))
    if not events or len(events) < len(wanted):
        raise AlertNotFound("There is no such alert in this workspace.")
    return sum(_acknowledge(actor, event, note) for event in events)


def _acknowledge(actor: Actor, event: Event, note: str) -> bool:
    """Whether it was open."""
    whose = {"workspace_id": event.workspace_id, "action": event.action, "object": event.object}
    fresh = {"through": event.pk, "by": (actor.name or "anonymous")[:128], "note": note}
    seen, created = Acknowledgement.objects.select_for_update().get_or_create(**whose, defaults=fresh)
    if not created and seen.through >= event.pk:
        return False
    if not created:
        for field, value in fresh.items():
            setattr(seen, field, value)
        seen.save()
    told = {"alert": event.action, "id": event.pk, **({"note": note} if note else {})}
    record(actor, "alerts.acknowledged", event.object, workspace=event.workspace_id, new=told)
    return True
