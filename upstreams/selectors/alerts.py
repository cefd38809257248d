"""Alerts as people and programs read them: alike ones as one, in a sentence, with what they are about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from upstreams.sentences import Subject, alert_sentence, subject_of
from workspaces.models import Acknowledgement, Event, Workspace
from workspaces.selectors import AlertGroup, acknowledgements_of


@dataclass(frozen=True, kw_only=True)
class Alert:
    """All alerts of one kind about one thing; `id` is the newest event's, `upstream` the one it speaks of, or ''."""

    id: int
    action: str
    object: str
    subject: Subject
    upstream: str
    sentence: str
    number: int
    first_at: datetime
    last_at: datetime
    acknowledged: Acknowledgement | None = None


def alerts_told(workspace: Workspace, groups: Sequence[AlertGroup], *, acknowledged: bool = False) -> list[Alert]:
    """These groups with their sentences, in their order."""
    events = Event.objects.in_bulk([group["last"] for group in groups])
    seen = acknowledgements_of(workspace, groups) if acknowledged else {}
    return [_alert(events[group["last"]], group, seen.get((group["action"], group["object"]))) for group in groups]


def _alert(event: Event, group: AlertGroup, seen: Acknowledgement | None) -> Alert:
    subject = subject_of(event.object)
    named = event.new.get("upstream") if isinstance(event.new, dict) else None
    return Alert(
        id=event.pk,
        action=event.action,
        object=event.object,
        subject=subject,
        upstream=named if isinstance(named, str) else subject.upstream,
        sentence=alert_sentence(event.action, subject, event.old, event.new),
        number=group["number"],
        first_at=group["first_at"],
        last_at=group["last_at"],
        acknowledged=seen,
    )
