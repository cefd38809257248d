"""Former slugs: a registry that was renamed is still found by the slugs it had, until they are released."""

from django.db import transaction

from registries.models import Alias, Registry
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied, NotFound
from workspaces.services.audit import record
from workspaces.services.spaces import bump_rules
from workspaces.slugs import check_slug


class RegistryExists(Conflict):
    """The slug is taken in this workspace."""

    code = "registry_exists"


class SlugReserved(Conflict):
    """The slug is a former address of another registry: lock files may still name it."""

    code = "slug_reserved"


class AliasNotFound(NotFound):
    """The registry never had that slug, or it was released."""

    code = "alias_not_found"


def check_free(workspace_id: int, slug: str) -> None:
    """Nobody has the slug, and nobody had it. Call under the workspace's lock (`bump_rules` takes it).

    Raises SlugInvalid, RegistryExists, SlugReserved.
    """
    check_slug(slug)
    if Registry.objects.filter(workspace_id=workspace_id, slug=slug).exists():
        raise taken(slug)
    alias = Alias.objects.select_related("registry").filter(workspace_id=workspace_id, slug=slug).first()
    if alias is not None:
        raise SlugReserved(
            f"“{slug}” was the address of the registry “{alias.registry.slug}”, and lock files may still name it;"
            " release it in that registry's settings first.",
            fields={"slug": "reserved"},
        )


def taken(slug: str) -> RegistryExists:
    """The error for a slug that another registry has."""
    return RegistryExists(f"A registry “{slug}” exists in this workspace already.", fields={"slug": "taken"})


def move(registry: Registry, slug: str) -> None:
    """Give the (unsaved) registry another slug; the present one becomes a former one, one of its own may be taken back.

    Inside the caller's transaction and under the workspace's lock. Raises what `check_free` raises.
    """
    Alias.objects.filter(registry=registry, slug=slug).delete()
    check_free(registry.workspace_id, slug)
    Alias.objects.create(workspace_id=registry.workspace_id, registry=registry, slug=registry.slug)
    registry.slug = slug


@transaction.atomic
def release_alias(*, actor: Actor, registry: Registry, slug: str) -> None:
    """Give a former slug up: it leads nowhere from now on and may be taken. Raises Denied, AliasNotFound."""
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners change a registry.")
    bump_rules(registry.workspace_id)
    if not Alias.objects.filter(registry=registry, slug=slug).delete()[0]:
        raise AliasNotFound(f"“{slug[:40]}” is no former address of {registry}.")
    record(actor, "registry.alias_released", str(registry), workspace=registry.workspace_id, old={"slug": slug})
