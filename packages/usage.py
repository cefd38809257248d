"""How much workspaces and registries hold, from what the sweep counted."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet, Sum

from packages.models import Usage
from workspaces.models import Workspace


@dataclass(frozen=True)
class Held:
    """Packages, versions, and the bytes of all their files."""

    packages: int = 0
    versions: int = 0
    bytes: int = 0


def held_by(workspaces: Iterable[int]) -> dict[int, Held]:
    """What each of these workspaces holds, by its number."""
    rows = Usage.objects.filter(registry__workspace__in=list(workspaces)).values_list("registry__workspace")
    summed = rows.annotate(Sum("packages"), Sum("versions"), Sum("bytes")).order_by()
    return {pk: Held(packages, versions, size) for pk, packages, versions, size in summed}


def usage_of(workspace: Workspace) -> QuerySet[Usage]:
    """What its registries hold, by slug; one that was just made is not counted yet."""
    return Usage.objects.filter(registry__workspace=workspace).select_related("registry").order_by("registry__slug")
