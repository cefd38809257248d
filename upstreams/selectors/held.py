"""What a workspace holds under a name: its versions, and the tombstones that keep names internal."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from packages.models import Tombstone, Version
from workspaces import statements
from workspaces.prepared import Row

HELD = (
    "SELECT p.registry_id, p.name, v.is_internal, v.origin FROM packages_version v JOIN packages_package p ON p.id = v.package_id"
    " JOIN registries_registry r ON r.id = p.registry_id WHERE r.workspace_id = %s AND p.format = %s AND p.folded = %s"
)
BURIED = "SELECT registry_id, reason FROM packages_tombstone WHERE workspace_id = %s AND format = %s AND name = %s"


class HeldRow(NamedTuple):
    """One version somewhere in the workspace; `spelled`: the name as its package writes it."""

    registry_id: int
    spelled: str
    is_internal: bool
    origin: str


def held_rows(workspace_id: int, format: str, folded: Sequence[str]) -> dict[str, list[HeldRow]]:  # noqa: A002
    """The versions of these canonical names in the workspace, by name."""
    if len(folded) == 1:
        return {folded[0]: made_held(statements.rows(HELD, [workspace_id, format, folded[0]]))}
    rows = Version.objects.filter(
        package__registry__workspace_id=workspace_id, package__format=format, package__folded__in=folded
    ).values_list("package__folded", "package__registry_id", "package__name", "is_internal", "origin")
    found: dict[str, list[HeldRow]] = defaultdict(list)
    for name, registry_id, spelled, is_internal, origin in rows:
        found[name].append(HeldRow(registry_id, spelled, is_internal, origin))
    return found


def made_held(rows: Sequence[Row]) -> list[HeldRow]:
    """What the statement HELD found."""
    return [HeldRow(registry_id, name, bool(flag), origin) for registry_id, name, flag, origin in rows]


def tombstone_rows(workspace_id: int, format: str, folded: Sequence[str]) -> dict[str, dict[int | None, str]]:  # noqa: A002
    """Why these canonical names stay internal, by name and registry (None: in the whole workspace)."""
    if len(folded) == 1:
        return {folded[0]: dict(statements.rows(BURIED, [workspace_id, format, folded[0]]))}
    found: dict[str, dict[int | None, str]] = defaultdict(dict)
    for row in Tombstone.objects.filter(workspace_id=workspace_id, format=format, name__in=folded):
        found[row.name][row.registry_id] = row.reason
    return found
