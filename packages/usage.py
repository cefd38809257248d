"""How much workspaces and registries hold, from what the sweep counted."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, QuerySet, Sum

from packages.models import Package, Usage, Version
from workspaces.models import Workspace

FEW = 1_000  # packages that are counted whenever somebody looks


@dataclass(frozen=True)
class Held:
    """Packages, versions, and the bytes of all their files."""

    packages: int = 0
    versions: int = 0
    bytes: int = 0


def held_in(workspace: Workspace) -> Held:
    """What the workspace holds: at this moment, as long as that is little, else as it was counted last."""
    packages = Package.objects.filter(registry__workspace=workspace)
    number = packages[: FEW + 1].count()
    if number > FEW:
        return held_by([workspace.pk]).get(workspace.pk, Held())
    found = Version.objects.filter(package__in=packages).aggregate(versions=Count("pk"), bytes=Sum("size"))
    return Held(number, found["versions"], found["bytes"] or 0)


def held_by(workspaces: Iterable[int]) -> dict[int, Held]:
    """What each of these workspaces holds, by its number."""
    rows = Usage.objects.filter(registry__workspace__in=list(workspaces)).values_list("registry__workspace")
    summed = rows.annotate(Sum("packages"), Sum("versions"), Sum("bytes")).order_by()
    return {pk: Held(packages, versions, size) for pk, packages, versions, size in summed}


def usage_of(workspace: Workspace) -> QuerySet[Usage]:
    """What its registries hold, by slug; one that was just made is not counted yet."""
    return Usage.objects.filter(registry__workspace=workspace).select_related("registry").order_by("registry__slug")
