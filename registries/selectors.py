"""Reads over registries."""

from django.db.models import Count, QuerySet

from registries.models import Registry
from workspaces.access import Actor
from workspaces.models import Workspace


def registries_of(actor: Actor, workspace: Workspace) -> QuerySet[Registry]:
    """The registries of a workspace the caller may know of, with `package_count`."""
    found = Registry.objects.filter(workspace=workspace).select_related("workspace").annotate(package_count=Count("packages"))
    if actor.grant is not None and actor.grant.registries is not None:
        found = found.filter(pk__in=actor.grant.registries)
    return found
