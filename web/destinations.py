"""Where a package may be pushed to from its page, and whence it may be pulled."""

from dataclasses import dataclass, field

from packages.models import Format
from registries.models import Registry
from upstreams.models import Upstream
from upstreams.services.hauls import has
from upstreams.services.trades import TRADES
from web import reads
from workspaces.access import Action, Actor, Target

REGISTRY, UPSTREAM = "registry", "upstream"


@dataclass(frozen=True)
class Ways:
    """What the forms offer: registries to push to, upstreams to publish at, upstreams to pull from."""

    registries: list[Registry] = field(default_factory=list)
    upstreams: list[Upstream] = field(default_factory=list)
    sources: list[Upstream] = field(default_factory=list)

    @property
    def any_goal(self) -> bool:
        """Whether there is anywhere to go."""
        return bool(self.registries or self.upstreams)


def ways(actor: Actor, registry: Registry, format: str, name: str) -> Ways:  # noqa: A002 - the address's own word
    """For this caller and package."""
    if format not in TRADES or actor.role_in(registry.workspace_id) is None:
        return Ways()
    target = Target(format, name)
    others = Registry.objects.filter(workspace_id=registry.workspace_id).exclude(pk=registry.pk).select_related("workspace")
    enabled = [one for one in reads.upstreams_of(registry) if one.is_enabled and has(one, format)]
    goes_out = format == Format.NPM and actor.may(Action.MANAGE, registry)
    outside = [one for one in enabled if one.kind == Upstream.Kind.URL] if goes_out else []
    return Ways(
        registries=[one for one in others.order_by("slug") if actor.may(Action.PUBLISH, one, target)],
        upstreams=outside,
        sources=enabled if actor.may(Action.PUBLISH, registry, target) else [],
    )
