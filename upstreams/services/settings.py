"""Registry settings that upstreams have a say in."""

from registries.models import Registry
from registries.services import Changes
from registries.services import change_registry as change
from upstreams.models import Upstream
from workspaces.access import Actor
from workspaces.errors import Invalid


def change_registry(*, actor: Actor, registry: Registry, changes: Changes) -> Registry:
    """Change a registry, unless it would open what an upstream's credentials protect (RULE.md, what never changes)."""
    if changes.visibility == Registry.Visibility.PUBLIC and not registry.is_public:
        private = Upstream.objects.filter(registry=registry).exclude(auth_type=Upstream.AuthType.NONE)
        chained = Upstream.objects.filter(registry=registry, source__visibility=Registry.Visibility.PRIVATE)
        if private.exists() or chained.exists():
            raise Invalid(
                "A registry with a private upstream, or one with credentials, cannot be made public.",
                fields={"visibility": "private upstream"},
            )
    return change(actor=actor, registry=registry, changes=changes)
