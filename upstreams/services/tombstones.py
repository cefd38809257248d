"""Letting go of the names that an upstream made internal, all at once: the explicit act of RULE.md, for many names."""

from dataclasses import dataclass

from django.db import transaction

from packages.models import Tombstone
from packages.services.versions import set_internal
from registries.models import Registry
from upstreams.models import Upstream
from upstreams.selectors.facts import Ground
from upstreams.selectors.tombstones import pulled_from, reason_of
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied, NotFound
from workspaces.services.audit import record
from workspaces.services.spaces import bump_rules

MOST = 1000  # names in one act
TOLD = 200  # names in one event


class StillInternal(Conflict):
    """The upstream is internal: whatever it answers for next would be internal again, and may well have to be."""

    code = "upstream_internal"


class NothingBuried(NotFound):
    """No name is kept internal by that upstream's answers there."""

    code = "tombstone_not_found"


@dataclass(frozen=True)
class Lifted:
    """How many names were let go, how many versions unticked with them, and how many names of that upstream are left."""

    lifted: int
    unticked: int
    left: int


@transaction.atomic
def lift(*, actor: Actor, registry: Registry, format: str, upstream: str, untick: bool = False) -> Lifted:  # noqa: A002 - the field's own word
    """Remove the tombstones that this upstream's answers wrote here, a thousand at most; each name is told of in the log.

    Names that hold internal versions stay internal by these; `untick` unticks those that came from this upstream.
    Raises Denied, StillInternal, NothingBuried.
    """
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners let names be looked for outside again.")
    bump_rules(registry.workspace_id)  # first: a lock against the toggle, and whatever was decided before is old
    check_let_go(registry, upstream, format)
    found = Tombstone.objects.filter(registry=registry, format=format, reason=reason_of(upstream))
    rows = list(found.order_by("name")[:MOST])
    if not rows:
        raise NothingBuried(f"No name is kept internal in {registry} because upstream {upstream[:40]} answered for it.")
    unticked = _untick(actor, registry, format, upstream, {row.name for row in rows}) if untick else 0
    found.filter(pk__in=[row.pk for row in rows]).delete()
    names = [row.name for row in rows]
    for start in range(0, len(names), TOLD):
        new = {"format": format, "names": names[start : start + TOLD]}
        record(actor, "tombstones.removed", f"{registry} {upstream}", workspace=registry.workspace_id, new=new)
    return Lifted(len(rows), unticked, found.count())


def check_let_go(registry: Registry, upstream: str, format: str) -> None:  # noqa: A002 - the field's own word
    """Refuse while an upstream of that name, here or behind a chain, is internal, disabled or not. Raises StillInternal."""
    places = _behind(registry.pk, Ground.read(registry.workspace_id, format))
    if Upstream.objects.filter(registry__in=places, name=upstream, is_internal=True).exists():
        raise StillInternal(
            f"Upstream {upstream} is internal, so the names it answered for stay internal."
            " Turn its “internal” off, or remove it, before these are let go.",
            fields={"upstream": "internal"},
        )


def follow_name(upstream: Upstream, before: str) -> None:
    """The upstream was called `before`: what it left speaks of it by its present name, so that it is still known as its doing."""
    if upstream.name == before:
        return
    ground = Ground.read(upstream.registry.workspace_id, upstream.format)
    everywhere = Registry.objects.filter(workspace_id=upstream.registry.workspace_id).values_list("pk", flat=True)
    places = [place for place in everywhere if upstream.registry_id in _behind(place, ground)]
    left = Tombstone.objects.filter(registry__in=places, format=upstream.format, reason=reason_of(before))
    left.update(reason=reason_of(upstream.name))


def _behind(registry_id: int, ground: Ground) -> set[int]:
    """The registry and all that links lead to, switched off or not."""
    found, queue = {registry_id}, [registry_id]
    while queue:
        links = ground.upstreams.get(queue.pop(), ())
        fresh = {link.source_id for link in links if link.source_id is not None} - found
        found |= fresh
        queue += fresh
    return found


def _untick(actor: Actor, registry: Registry, format: str, upstream: str, names: set[str]) -> int:  # noqa: A002 - the field's own word
    """Untick what came from it under these names; returns how many versions."""
    held = pulled_from(registry, format, upstream).values_list("package__name", "version")
    doomed = [(name, version) for name, version in held if name.lower() in names]
    for name, version in doomed:
        set_internal(actor=actor, registry=registry, format=format, name=name, version=version, internal=False)
    return len(doomed)
