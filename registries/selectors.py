"""Reads over registries."""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from registries.models import Alias, PackageRight, Registry
from workspaces import statements
from workspaces.access import Action, Actor, Target
from workspaces.models import Workspace


def registries_of(actor: Actor, workspace: Workspace) -> QuerySet[Registry]:
    """The registries of a workspace the caller may know of."""
    found = Registry.objects.filter(workspace=workspace).select_related("workspace")
    if actor.grant is not None and actor.grant.registries is not None:
        found = found.filter(pk__in=actor.grant.registries)
    return found


def aliases_of(registry: Registry) -> QuerySet[Alias]:
    """The slugs it had before, by slug."""
    return Alias.objects.filter(registry=registry).order_by("slug")


GIVES = {
    PackageRight.Permission.READ: frozenset[Action](),
    PackageRight.Permission.WRITE: frozenset({Action.PUBLISH}),
    PackageRight.Permission.MAINTAIN: frozenset({Action.PUBLISH, Action.MAINTAIN}),
}


@dataclass(frozen=True, slots=True)
class NamedRights:
    """A person's rights on single names (`workspaces.access.Rights`): asked anew each time, so they end at once."""

    user_id: int

    def on(self, registry_id: int, target: Target) -> frozenset[Action]:
        """What the person's own rights and those of their groups give on `target`."""
        own = Q(member__user_id=self.user_id, member__is_active=True)
        whose = own | Q(group__members__member__user_id=self.user_id, group__members__member__is_active=True)
        rows = PackageRight.objects.filter(whose, registry_id=registry_id, format=target.format, name=target.name)
        return frozenset(action for given in rows.values_list("permission", flat=True) for action in GIVES[PackageRight.Permission(given)])


RESTRICTED = "SELECT id FROM registries_restrictedname WHERE registry_id = %s AND format = %s AND name = %s"


def is_restricted(registry: Registry, target: Target) -> bool:
    """Whether the name is for members only."""
    return target.name is not None and statements.row(RESTRICTED, [registry.pk, target.format, target.name]) is not None
