"""Deleting a registry, or a workspace: everything in it, table by table in statements of their own, whatever the number of rows."""

from django.db import models, transaction
from django.db.models import QuerySet

from packages.models import Package, Tombstone, Version
from registries.models import Registry
from registries.services import describe
from upstreams.models import Upstream
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied
from workspaces.models import Workspace
from workspaces.services.audit import record
from workspaces.services.spaces import DELETED, bump_rules, lock_rules


class RegistryFeedsOthers(Conflict):
    """Other registries are fed from this one: they would lose a source without anybody having looked."""

    code = "registry_feeds_others"


def check_deletable(actor: Actor, registry: Registry) -> None:
    """Whether the registry may go. Raises Denied, RegistryFeedsOthers."""
    if not actor.may(Action.MANAGE, registry) or not actor.may_in(registry.workspace_id, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace delete a registry.")
    fed = Upstream.objects.filter(source=registry).exclude(registry=registry).select_related("registry__workspace")
    names = sorted({str(upstream.registry) for upstream in fed})
    if names:
        raise RegistryFeedsOthers(f"{registry} is an upstream of {', '.join(names[:5])}; remove it there first.")


@transaction.atomic
def delete_registry(*, actor: Actor, registry: Registry) -> None:
    """The registry with packages, versions, upstreams and jobs; files are left to the collection.

    Its internal names stay internal in the workspace. Where it was the default, the oldest of the others is from now on.
    Raises Denied, RegistryFeedsOthers.
    """
    bump_rules(registry.workspace_id)  # a lock too: nobody adds an upstream, takes the slug or claims a name meanwhile
    check_deletable(actor, registry)
    Registry.objects.select_for_update().filter(pk=registry.pk).first()
    old = {**describe(registry), "packages": Package.objects.filter(registry=registry).count()}
    _keep_names(registry)
    _wipe(Registry.objects.filter(pk=registry.pk))
    if registry.is_default:
        heir = Registry.objects.filter(workspace_id=registry.workspace_id).order_by("created_at", "pk").values("pk")[:1]
        Registry.objects.filter(pk__in=list(heir.values_list("pk", flat=True))).update(is_default=True)
    record(actor, "registry.deleted", str(registry), workspace=registry.workspace_id, old=old)


@transaction.atomic
def delete_workspace(*, actor: Actor, workspace: Workspace) -> None:
    """The workspace with registries, people's roles, tokens of its own, and log; files are left to the collection. Raises Denied."""
    if not actor.may_in(workspace.pk, Action.OWN):
        raise Denied("Only an owner deletes the workspace.")
    lock_rules(workspace.pk)
    old = {"name": workspace.name, "registries": Registry.objects.filter(workspace=workspace).count()}
    _wipe(Workspace.objects.filter(pk=workspace.pk))
    record(actor, DELETED, workspace.slug, workspace=None, old=old)


def _keep_names(registry: Registry) -> None:
    """A tombstone for every name that was internal by a version, or by a tombstone, of this registry."""
    internal = Version.objects.filter(package__registry=registry, is_internal=True).values("package")
    names = set(Package.objects.filter(pk__in=internal).values_list("format", "folded"))
    names |= set(Tombstone.objects.filter(registry=registry).values_list("format", "name"))
    reason = f"the registry {registry} was deleted"
    rows = [Tombstone(workspace_id=registry.workspace_id, format=kind, name=name, reason=reason) for kind, name in sorted(names)]
    Tombstone.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)


def _wipe(doomed: QuerySet[models.Model]) -> None:
    """These rows and all that hang on them, from the leaves up: one statement a table, and nothing is read."""
    for relation in doomed.model._meta.related_objects:  # noqa: SLF001 - Django's documented API
        theirs = relation.related_model._base_manager.filter(**{f"{relation.field.name}__in": doomed})  # noqa: SLF001
        if relation.on_delete is models.SET_NULL:
            theirs.update(**{relation.field.name: None})
        else:
            _wipe(theirs)
    doomed._raw_delete(using=doomed.db)  # noqa: SLF001 - without it every row is read first
