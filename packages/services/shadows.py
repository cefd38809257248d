"""Telling people of versions that are hidden because their name became internal, by whichever way it did."""

from collections.abc import Iterable, Iterator, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from packages.models import Package, Version
from workspaces import statements
from workspaces.access import Actor, matches
from workspaces.models import Claim, Event, Workspace
from workspaces.services.audit import SYSTEM, record
from workspaces.services.spaces import add_claim

MOST = 1000  # packages that one claim, or the patterns of one upstream, tell of
EVERY = "*"  # of an upstream's patterns, this one makes nothing internal by itself
PULLED = (
    "SELECT p.id FROM packages_package p WHERE p.format = %s AND p.folded = %s"
    " AND p.registry_id IN (SELECT r.id FROM registries_registry r WHERE r.workspace_id = %s)"
    " AND EXISTS(SELECT 1 FROM packages_version v WHERE v.package_id = p.id AND NOT v.is_internal AND v.origin = 'pulled') ORDER BY p.id"
)


@transaction.atomic
def claim(*, actor: Actor, workspace: Workspace, pattern: str) -> Claim:
    """Claim a pattern, and tell of what was pulled under its names before. Raises Denied, Invalid, ClaimExists."""
    made = add_claim(actor=actor, workspace=workspace, pattern=pattern)
    tell_of_claimed(workspace.pk, [made.pattern])
    return made


def tell_of_shadowed(package: Package) -> None:
    """An alert when versions pulled from outside are hidden now that the name is internal; once per set of versions."""
    pulled = Version.objects.filter(package=package, is_internal=False, origin=Version.Origin.PULLED)
    versions = sorted(pulled.values_list("version", flat=True))
    if not versions:
        return
    registry = package.registry
    subject, action, new = f"{registry} {package.format} {package.name}", "alert.versions_shadowed", {"versions": versions[:50]}
    if not Event.objects.filter(workspace_id=registry.workspace_id, action=action, object=subject, new=new).exists():
        record(SYSTEM, action, subject, workspace=registry.workspace_id, new=new)


def tell_of_owned(workspace_id: int, format: str, folded: str) -> None:  # noqa: A002 - the field's own word
    """The same for every registry of the workspace: an internal version of the team's own makes its name internal in all of them."""
    for (package_id,) in statements.rows(PULLED, [format, folded, workspace_id]):
        tell_of_shadowed(Package.objects.select_related("registry__workspace").get(pk=package_id))


def tell_of_claimed(workspace_id: int, patterns: Iterable[str]) -> None:
    """The same for every name that meets one of `patterns`, which from now on makes it internal in the whole workspace."""
    wanted = [pattern.lower() for pattern in patterns if pattern != EVERY]
    if not wanted:
        return
    found = [key for key, folded in _pulled(workspace_id, wanted) if any(matches(pattern, folded) for pattern in wanted)]
    for package in Package.objects.select_related("registry__workspace").filter(pk__in=found[:MOST]):
        tell_of_shadowed(package)


def _pulled(workspace_id: int, patterns: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The packages that hold such versions and begin as one of the patterns does."""
    begins = Q()
    for pattern in patterns:
        begins |= Q(folded__startswith=pattern.replace("?", EVERY).partition(EVERY)[0])
    outside: QuerySet[Version] = Version.objects.filter(package=OuterRef("pk"), is_internal=False, origin=Version.Origin.PULLED)
    held = Package.objects.filter(begins, Exists(outside), registry__workspace_id=workspace_id)
    return held.order_by("folded", "pk").values_list("pk", "folded").iterator()
