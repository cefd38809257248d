"""Registry settings that upstreams have a say in."""

from django.db import transaction

from registries.models import Registry
from registries.services import Changes
from registries.services import change_registry as change
from upstreams.models import Upstream
from workspaces.access import Actor
from workspaces.errors import Invalid
from workspaces.services.spaces import bump_rules


@transaction.atomic
def change_registry(*, actor: Actor, registry: Registry, changes: Changes) -> Registry:
    """Change a registry, unless it would open what an upstream's credentials or a private registry protect (RULE.md, what never changes).

    Raises what `registries.services.change_registry` raises.
    """
    if changes.visibility is not None:
        bump_rules(registry.workspace_id)  # a lock too: nobody adds an upstream meanwhile
        _check_chain(registry, changes.visibility)
    return change(actor=actor, registry=registry, changes=changes)


def _check_chain(registry: Registry, visibility: str) -> None:
    """What is private stays behind what is private. Raises Invalid."""
    own, feeds = Upstream.objects.filter(registry=registry), Upstream.objects.filter(source=registry)
    if visibility == Registry.Visibility.PUBLIC:
        guarded = own.exclude(auth_type=Upstream.AuthType.NONE) | own.filter(source__visibility=Registry.Visibility.PRIVATE)
        if guarded.exists():
            raise Invalid(
                "A registry with a private upstream, or one with credentials, cannot be made public.",
                fields={"visibility": "private upstream"},
            )
    elif public := feeds.filter(registry__visibility=Registry.Visibility.PUBLIC).select_related("registry__workspace").first():
        raise Invalid(
            f"The public registry {public.registry} is fed from this one, so it cannot be made private.",
            fields={"visibility": "feeds a public registry"},
        )
