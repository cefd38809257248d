"""The audit log, as much of it as somebody asks for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from workspaces.models import Event, Workspace
from workspaces.selectors import ALERT

PULLED = "version.pulled"  # one for each version that an install or a mirror brought in: by far the most
QUIET = "quiet"  # everything but those
STRETCH = 100_000  # events that are looked at for one page: a search reads each of them
# Which events a kind has, by how their actions begin; a whole word stands for itself.
KINDS: Mapping[str, tuple[str, ...]] = {
    "alerts": (ALERT, "alerts.", "upstream.trouble"),
    "packages": ("version.", "package.", "tag.", "owners.", "access."),
    "pulled": (PULLED, "package.pulled"),
    "internal": ("tombstone.", "tombstones.", "claim.", "version.internal", "version.disclosed", "alert.versions_shadowed"),
    "upstreams": ("upstream.", "secret."),
    "mirrors": ("mirror.",),
    "webhooks": ("webhook.", "alert.webhook_disabled"),
    "registries": ("registry.", "workspace.", "signing_key."),
    "people": ("member.", "invitation.", "group.", "token.", "user.", "login_password."),
}


@dataclass(frozen=True)
class Stretch:
    """A part of the log: events before the number `before` (0: from the newest), back to `since` (0: to the first), from when that is."""

    before: int = 0
    since: int = 0
    since_at: datetime | None = None

    def within(self, events: QuerySet[Event]) -> QuerySet[Event]:
        """Those that lie in it."""
        events = events.filter(pk__lt=self.before) if self.before else events
        return events.filter(pk__gte=self.since) if self.since else events


WHOLE = Stretch()


def stretch_of(workspace: Workspace, before: int = 0) -> Stretch:
    """As much of a workspace's log as one page looks at."""
    behind = Stretch(before).within(Event.objects.filter(workspace=workspace)).order_by("-id")
    last = behind.values_list("pk", flat=True)[STRETCH - 1 : STRETCH].first()  # by the index alone
    if last is None:
        return Stretch(before)
    return Stretch(before, last, Event.objects.filter(pk=last).values_list("at", flat=True).first())


def events_of(  # noqa: PLR0913 - the filters of REST
    workspace: Workspace,
    *,
    kind: str = "",
    action: str = "",
    actor: str = "",
    object: str = "",  # noqa: A002 - the field's own word
    ip: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    stretch: Stretch = WHOLE,
) -> QuerySet[Event]:
    """The newest first. `kind`: one of KINDS, or QUIET; `action`, `actor` and `ip` are whole words, `object` is any part of it."""
    found = stretch.within(Event.objects.filter(workspace=workspace)).order_by("-id")
    if kind == QUIET:
        found = found.exclude(action=PULLED)
    elif kind:
        found = found.filter(_of(KINDS[kind]))
        found = found.exclude(action=PULLED) if kind == "packages" else found
    if action:
        found = found.filter(action=action)
    if actor:
        found = found.filter(actor=actor)
    wanted = {"ip": ip, "at__gte": since, "at__lt": until, "object__icontains": object}
    return found.filter(**{column: value for column, value in wanted.items() if value})


def pulled_events(workspace: Workspace, stretch: Stretch) -> int:
    """How many versions came in from upstreams."""
    return stretch.within(Event.objects.filter(workspace=workspace, action=PULLED)).count()


def _of(beginnings: tuple[str, ...]) -> Q:
    wanted = Q()
    for word in beginnings:
        wanted |= Q(action__startswith=word) if word.endswith(".") else Q(action=word)
    return wanted
