"""What pulling on purpose is for packages of every format: who is named and may answer, how much comes, and what came of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from packages.errors import VersionNotFound
from packages.models import Format
from registries.models import Registry
from upstreams.errors import SourceAbsent, SourceNotAllowed, UpstreamDisabled, UpstreamNotFound, UpstreamUnreachable
from upstreams.models import Upstream
from upstreams.resolution import TO_ASK, UNASKED
from upstreams.services.parcels import AT_ONCE, LeftOut, Order
from upstreams.services.push import PULLED, Moved
from upstreams.services.trades import LATEST, Named
from upstreams.terms import Decision, Path
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied, GatehouseError, Invalid
from workspaces.services.audit import record

INTERNAL = "internal: "  # so begins every clause that says by what a name is internal


@dataclass
class Haul:
    """What came of it so far."""

    moved: list[Moved] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)

    def take(self, moved: Sequence[Moved]) -> None:
        """These are here now."""
        self.moved += moved
        self.seen.update((one.name, one.version) for one in moved)


def named_upstream(registry: Registry, name: str, format: str) -> Upstream:  # noqa: A002 - the field's own word
    """That upstream of the registry, which has packages of this format. Raises UpstreamNotFound, UpstreamDisabled."""
    found = Upstream.objects.select_related("source__workspace").filter(registry=registry, name=name).first()
    if found is None or not has(found, format):
        raise UpstreamNotFound(f"{registry} has no upstream “{name[:40]}”.")
    if not found.is_enabled:
        raise UpstreamDisabled(f"Upstream {name} is disabled, so nothing is pulled from it.")
    return found


def has(upstream: Upstream, format: str) -> bool:  # noqa: A002 - the field's own word
    """Whether packages of this format may come from it: a link, unless it was made for another, has those of every format."""
    return upstream.format == format or (upstream.kind == Upstream.Kind.REGISTRY and upstream.format == Format.NPM)


def paths_outside(registry: Registry, name: Named, decision: Decision, source: Upstream | None) -> list[Path]:
    """The paths to those outside the registry who answer, or to what `source` has alone; one at least.

    Raises SourceNotAllowed, SourceAbsent, UpstreamUnreachable.
    """
    paths = [path for path in decision.answering if path and (source is None or path[0] == source.pk)]
    blocked_by, why = decision.blocked_by, decision.clause
    if not paths and blocked_by and (source is None or source.name == blocked_by):
        raise UpstreamUnreachable(f"Upstream {blocked_by} cannot answer for {name.full} now.", upstream=blocked_by, retry_after=30)
    if not paths and source is not None:
        raise not_allowed(registry, name, decision, source, lacks(source, name, why))
    if not paths:
        raise SourceAbsent(f"No source of {registry} has {name.full}.", why=why)
    return paths


def not_allowed(registry: Registry, name: Named, decision: Decision, source: Upstream, absent: SourceAbsent) -> GatehouseError:
    """The clause by which the upstream does not answer; its own 404 where it was asked and has nothing."""
    step = next((step for step in decision.steps if step.path == (source.pk,)), None)
    if step is None or step.asked or (source.kind == Upstream.Kind.REGISTRY and step.clause == UNASKED):
        return absent
    clause = step.clause if step.clause != TO_ASK else UNASKED
    return SourceNotAllowed(f"Upstream {source.name} may not answer for {name.full} in {registry}: {clause}.")


def lacks(source: Upstream, name: Named, why: str) -> SourceAbsent:
    """The upstream that was named has nothing of the name; of a registry that is gone through, nobody behind it either."""
    behind = ", and nobody behind it has" if source.kind == Upstream.Kind.REGISTRY else ""
    return SourceAbsent(f"Upstream {source.name} has no package {name.full}{behind}.", why=why)


@contextmanager
def reasoned() -> Iterator[None]:
    """Whoever pulls may publish here, so where nobody has an internal name, the 404 also says why no public source was asked."""
    try:
        yield
    except SourceAbsent as absent:
        if not absent.why.startswith(INTERNAL):
            raise
        clause = absent.why.removeprefix(INTERNAL)
        said = f"{absent.message} The name is internal here ({clause}); no public source is asked."
        raise SourceAbsent(said, why=absent.why) from None


def chosen_by(order: Order, registry: Registry, meant_by: Callable[[str], Sequence[str]]) -> list[str]:
    """The versions that the words of `order` mean, each once. Raises VersionNotFound, Invalid."""
    chosen: dict[str, None] = {}
    for word in order.versions or (LATEST,):
        meant = meant_by(word)
        if not meant:
            raise VersionNotFound(f"No source of {registry} has a version {word[:80]} of {order.name.full}.")
        chosen.update(dict.fromkeys(meant))
    check_number(len(chosen), "versions")
    return list(chosen)


def check_number(number: int, field: str) -> None:
    """Whether so many may come in one go; `field`: what asked for them. Raises Invalid."""
    if number > AT_ONCE:
        raise Invalid(f"These are more than {AT_ONCE:,} versions; pull them in parts.", fields={field: "too many"})


def check_nearest(upstreams: Mapping[int, Upstream], path: Path, source: Upstream, version: str) -> None:
    """Whether it is `source` from which `version` (`name@number`) comes. Raises SourceNotAllowed."""
    if path[0] != source.pk:
        nearer = upstreams[path[0]].name
        raise SourceNotAllowed(f"{version} comes from upstream {nearer}, which is nearer than {source.name} and has it too.")


def check_may_read(actor: Actor, links: Iterable[Upstream], target: Target) -> None:
    """Whether they may read it in every registry on the way. Raises Denied."""
    for link in links:
        if link.source is not None and not actor.may(Action.READ, link.source, target):
            raise Denied(f"{actor.name or 'This token'} may not read {target.name} in {link.source}.")


def tell_of_pull(actor: Actor, registry: Registry, upstream: str, order: Order, haul: Haul) -> None:
    """One event of who wanted it; each version that came has one of its own."""
    pulled = [f"{one.name}@{one.version}" for one in haul.moved if one.result == PULLED]
    if pulled:
        new = {"from": upstream, "to": str(registry), "versions": pulled[:50], "number": len(pulled)}
        record(actor, "package.pulled", f"{registry} {order.trade.format} {order.name.full}", workspace=registry.workspace_id, new=new)
