"""Names that stay internal though nothing internal is held: which, where, and whose answers are the reason."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, QuerySet

from packages.models import Tombstone, Version
from registries.models import Registry
from workspaces.models import Workspace

ANSWERED = "internal upstream {name} answered for it"  # the reason of a tombstone that an upstream's answer wrote
_ANSWERED = re.compile(re.escape(ANSWERED).replace(re.escape("{name}"), "(.+)"))


@dataclass(frozen=True, kw_only=True)
class Buried:
    """The tombstones of one reason in one place; `registry` '' is the whole workspace, `upstream` '' no upstream's doing."""

    registry: str
    format: str
    reason: str
    upstream: str
    number: int
    first_at: datetime
    last_at: datetime


def reason_of(upstream: str) -> str:
    """What the tombstones say that this upstream's answers wrote."""
    return ANSWERED.format(name=upstream)


def upstream_in(reason: str) -> str:
    """The upstream that a reason speaks of, or ''."""
    found = _ANSWERED.fullmatch(reason)
    return found[1] if found else ""


def tombstones_of(workspace: Workspace, *, registry: str = "", upstream: str = "", search: str = "") -> QuerySet[Tombstone]:
    """Those of a workspace, by name; of one registry, of one upstream's doing, with a part of the name."""
    found = Tombstone.objects.filter(workspace=workspace).select_related("registry").order_by("name", "format", "id")
    if registry:
        found = found.filter(registry__slug=registry)
    if upstream:
        found = found.filter(reason=reason_of(upstream))
    return found.filter(name__contains=search.lower()) if search else found


def buried(workspace: Workspace) -> list[Buried]:
    """The same in groups, those with most names first."""
    rows = Tombstone.objects.filter(workspace=workspace).order_by().values("registry__slug", "format", "reason")
    counted = rows.annotate(number=Count("id"), first_at=Min("created_at"), last_at=Max("created_at")).order_by("-number", "reason")
    return [
        Buried(
            registry=row["registry__slug"] or "",
            format=row["format"],
            reason=row["reason"],
            upstream=upstream_in(row["reason"]),
            number=row["number"],
            first_at=row["first_at"],
            last_at=row["last_at"],
        )
        for row in counted
    ]


def number_left_by(registry: Registry, upstream: str) -> int:
    """How many names an upstream's answers keep internal in its registry."""
    return Tombstone.objects.filter(registry=registry, reason=reason_of(upstream)).count()


def pulled_from(registry: Registry, format: str, upstream: str) -> QuerySet[Version]:  # noqa: A002 - the field's own word
    """Internal versions that came from that upstream and whose names its answers keep internal."""
    names = Tombstone.objects.filter(registry=registry, format=format, reason=reason_of(upstream)).values("name")
    held = Version.objects.filter(package__registry=registry, package__format=format, package__folded__in=names, is_internal=True)
    return held.filter(origin=Version.Origin.PULLED, upstream_origin__upstream_name=upstream)
