"""The audit log, as much of it as somebody asks for."""

from collections.abc import Mapping

from django.db.models import Q, QuerySet

from workspaces.models import Event, Workspace
from workspaces.selectors import ALERT

PULLED = "version.pulled"  # one for each version that an install or a mirror brought in: by far the most
QUIET = "quiet"  # everything but those
# Which events a kind has, by how their actions begin; a whole word stands for itself.
KINDS: Mapping[str, tuple[str, ...]] = {
    "alerts": (ALERT, "alerts.", "upstream.trouble"),
    "packages": ("version.", "package.", "tag.", "owners.", "access."),
    "pulled": (PULLED, "package.pulled"),
    "internal": ("tombstone.", "tombstones.", "claim.", "version.internal", "version.disclosed", "alert.versions_shadowed"),
    "upstreams": ("upstream.", "secret."),
    "mirrors": ("mirror.",),
    "registries": ("registry.", "workspace.", "signing_key."),
    "people": ("member.", "group.", "token.", "user."),
}


def events_of(workspace: Workspace, *, kind: str = "", action: str = "", actor: str = "", object: str = "") -> QuerySet[Event]:  # noqa: A002 - the field's own word
    """The newest first. `kind`: one of KINDS, or QUIET; `action` and `actor` are whole words, `object` is any part of it."""
    found = Event.objects.filter(workspace=workspace).order_by("-id")
    if kind == QUIET:
        found = found.exclude(action=PULLED)
    elif kind:
        found = found.filter(_of(KINDS[kind]))
        found = found.exclude(action=PULLED) if kind == "packages" else found
    if action:
        found = found.filter(action=action)
    if actor:
        found = found.filter(actor=actor)
    return found.filter(object__icontains=object) if object else found


def pulled_events(workspace: Workspace) -> int:
    """How many versions came in from upstreams."""
    return Event.objects.filter(workspace=workspace, action=PULLED).count()


def _of(beginnings: tuple[str, ...]) -> Q:
    wanted = Q()
    for word in beginnings:
        wanted |= Q(action__startswith=word) if word.endswith(".") else Q(action=word)
    return wanted
