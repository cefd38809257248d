"""Creating and changing registries."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from registries.aliases import check_free, move, taken
from registries.models import PackageRight, Registry, RestrictedName
from workspaces.access import Action, Actor
from workspaces.errors import Denied, Invalid
from workspaces.models import Workspace
from workspaces.services.audit import record
from workspaces.services.spaces import bump_rules, lock_rules


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What to change of a registry; None leaves it as it is. A former `slug` keeps leading here until it is released."""

    slug: str | None = None
    description: str | None = None
    internal: bool | None = None
    visibility: str | None = None
    default: bool | None = None
    search_upstream: bool | None = None
    audit_upstream: bool | None = None
    archived: bool | None = None


@transaction.atomic
def create_registry(
    *, actor: Actor, workspace: Workspace, slug: str, description: str = "", internal: bool = True, visibility: str = "private"
) -> Registry:
    """A new registry, internal and private unless told otherwise. The first of a workspace is its default.

    Raises Denied, SlugInvalid, RegistryExists, SlugReserved, Invalid.
    """
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners create registries.")
    _check_visibility(visibility)
    values = {"description": description[:500], "is_internal": internal, "visibility": visibility}
    bump_rules(workspace.pk)  # a lock too: no other registry takes the slug meanwhile
    check_free(workspace.pk, slug)
    first = not Registry.objects.filter(workspace=workspace).exists()
    try:
        with transaction.atomic():
            registry = Registry.objects.create(workspace=workspace, slug=slug, is_default=first, **values)
    except IntegrityError:
        raise taken(slug) from None
    record(actor, "registry.created", str(registry), workspace=workspace, new=describe(registry))
    return registry


@transaction.atomic
def change_registry(*, actor: Actor, registry: Registry, changes: Changes) -> Registry:
    """Apply `changes` as one audited event. Earlier versions keep their internal flag.

    Raises Denied, Invalid, SlugInvalid, RegistryExists, SlugReserved.
    """
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners change a registry.")
    lock_rules(registry.workspace_id)  # no other registry takes the slug meanwhile
    registry = Registry.objects.select_for_update(of=("self",), no_key=True).select_related("workspace").get(pk=registry.pk)
    old = describe(registry)
    if changes.slug is not None and changes.slug != registry.slug:
        move(registry, changes.slug)
    if changes.description is not None:
        registry.description = changes.description[:500]
    if changes.internal is not None:
        registry.is_internal = changes.internal
    if changes.visibility is not None:
        registry.visibility = _check_visibility(changes.visibility)
    registry.search_upstream = registry.search_upstream if changes.search_upstream is None else changes.search_upstream
    registry.audit_upstream = registry.audit_upstream if changes.audit_upstream is None else changes.audit_upstream
    registry.is_archived = registry.is_archived if changes.archived is None else changes.archived
    if changes.default:
        Registry.objects.filter(workspace=registry.workspace, is_default=True).update(is_default=False)
        registry.is_default = True
    registry.save()
    new = describe(registry)
    if new != old:
        bump_rules(registry.workspace_id)
        record(actor, "registry.changed", str(registry), workspace=registry.workspace_id, old=old, new=new)
    return registry


def restrict(registry_id: int, format: str, name: str) -> bool:  # noqa: A002 - the field's own word
    """Hide a package from everybody but members; False when it was. Inside a transaction that holds the name."""
    return RestrictedName.objects.get_or_create(registry_id=registry_id, format=format, name=name)[1]


def open_to_readers(registry_id: int, format: str, name: str) -> bool:  # noqa: A002 - the field's own word
    """Let everybody who may read the registry see the package again; False when they could. Inside such a transaction."""
    return bool(RestrictedName.objects.filter(registry_id=registry_id, format=format, name=name).delete()[0])


def forget_name(registry_id: int, format: str, name: str) -> None:  # noqa: A002 - the field's own word
    """Drop the rights and the restriction kept for a name. Inside the transaction that deletes its package."""
    for kept in (PackageRight, RestrictedName):
        kept.objects.filter(registry_id=registry_id, format=format, name=name).delete()


def describe(registry: Registry) -> dict[str, object]:
    """The registry's settings in the words of the contract, for events."""
    return {
        "slug": registry.slug,
        "description": registry.description,
        "internal": registry.is_internal,
        "visibility": registry.visibility,
        "default": registry.is_default,
        "search_upstream": registry.search_upstream,
        "audit_upstream": registry.audit_upstream,
        "archived": registry.is_archived,
    }


def _check_visibility(visibility: str) -> str:
    if visibility not in Registry.Visibility.values:
        raise Invalid("Visibility is “private” or “public”.", fields={"visibility": "unknown"})
    return visibility
