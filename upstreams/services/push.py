"""Pushing versions into another registry of the workspace: promotion. The same bytes, all of them or none."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from django.db import transaction

from packages.errors import VersionExists, VersionRetired
from packages.models import Package, Version
from packages.services.epochs import hold_name
from packages.services.receive import Received, is_own, receive
from packages.services.turns import turn
from registries.models import Registry
from registries.selectors import is_restricted
from registries.services import restrict
from upstreams.errors import InternalSourceUnavailable, MembersOnly, NumberRetired, RuleChanged, VersionHidden
from upstreams.models import Origin
from upstreams.selectors.facts import current_epochs
from upstreams.services.parcels import TRIES, Holding, LeftOut, Order, Parcels, parcels_of
from upstreams.services.trades import Trade
from workspaces import reading
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied, Invalid
from workspaces.services.audit import record

PUSHED, PULLED, PRESENT = "pushed", "pulled", "present"


@dataclass(frozen=True)
class Moved:
    """One version where it was to go. `result`: pushed or pulled just now, or present already with the same bytes."""

    name: str
    version: str
    result: str
    internal: bool
    integrity: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it. `origin` and `goal`: whence and whither, in words."""

    origin: str
    goal: str
    moved: Sequence[Moved]
    left_out: Sequence[LeftOut] = field(default_factory=tuple)


def push(*, actor: Actor, source: Registry, target: Registry, order: Order) -> Outcome:
    """Send versions of `source` on to `target`, another registry of the workspace.

    Same bytes are met and change nothing, except that they become internal if the newcomer is. Raises Denied, Invalid,
    PackageNotFound, VersionNotFound, VersionHidden, VersionExists, NumberRetired, MembersOnly, InternalSourceUnavailable.
    """
    if source.pk == target.pk or source.workspace_id != target.workspace_id:
        raise Invalid("Versions are pushed to another registry of the same workspace.", fields={"to": "not another registry"})
    for _ in range(TRIES):
        parcels = parcels_of(actor, source, order)
        for holding, rows in parcels.in_order():
            check_may_write(actor, target, order.trade.format, holding.name.full)
            _check_fits(target, parcels.trade, holding, rows)
        with suppress(RuleChanged):
            moved = _move(actor, source, target, parcels)
            return Outcome(origin=str(source), goal=str(target), moved=moved, left_out=parcels.left_out)
    raise RuleChanged("The rules for these packages are being changed; try again.", retry_after=1)


def check_may_write(actor: Actor, target: Registry, format: str, name: str) -> None:  # noqa: A002 - the field's own word
    """Raises Denied."""
    if not actor.may(Action.PUBLISH, target, Target(format, name)):
        raise Denied(f"{actor.name or 'This token'} may not publish {name} in {target}: the role or the token does not allow it.")


def _move(actor: Actor, source: Registry, target: Registry, parcels: Parcels) -> list[Moved]:
    """All of it in one transaction, under the locks of all its names."""
    way, kind = Way(actor, source, target, parcels.trade), parcels.trade.format
    with turn(before=_nothing), transaction.atomic():
        for holding, _ in parcels.in_order():
            hold_name(source.workspace_id, kind, holding.name.folded)
            if current_epochs(source, kind, holding.name.folded) != holding.epochs:
                raise RuleChanged("The rules for these packages changed just now; try again.", retry_after=1)
        return [one for holding, rows in parcels.in_order() for one in way.send(holding, rows)]


@dataclass(frozen=True)
class Way:
    """From one registry to another, by one person's word."""

    actor: Actor
    source: Registry
    target: Registry
    trade: Trade

    def send(self, holding: Holding, rows: Sequence[int]) -> list[Moved]:
        """The versions of one name. Raises VersionExists, NumberRetired, MembersOnly."""
        self._keep_for_members(holding)
        try:
            received = receive(actor=self.actor, registry=self.target, versions=self._read(holding, rows), tags=holding.tags)
        except VersionRetired as error:
            raise NumberRetired(error.message) from None
        for one in received:
            if one.is_new:
                self._tell(holding, one)
        return [
            Moved(holding.name.full, one.version.version, PUSHED if one.is_new else PRESENT, one.version.is_internal, one.version.integrity)
            for one in received
        ]

    def _read(self, holding: Holding, rows: Sequence[int]) -> Iterator[Version]:
        """One after the other; all are there, for the name's epoch is that of the look."""
        package = Package.objects.get(registry=self.source, format=self.trade.format, name=holding.name.full)
        package.registry = self.source
        for row in rows:
            for version in reading.read(Version, "WHERE t.id = %s", [row]):
                version.package = package
                yield version

    def _tell(self, holding: Holding, one: Received) -> None:
        """The event; and of what was pulled once, from where: it stays known, and its bytes are those this registry saw first."""
        version, target = one.version, self.target
        if not is_own(version):
            if not self.trade.keep(target.pk, holding.name, version):
                raise _other_bytes(target, holding, version.version)
            whence = Origin.objects.filter(version=one.source).first()
            if whence is not None:
                Origin.objects.create(version=version, upstream=None, upstream_name=whence.upstream_name, address=whence.address)
        new = {
            "from": str(self.source),
            "to": str(target),
            "integrity": version.integrity,
            "internal": version.is_internal,
            "origin": version.origin,
            "tags": list(one.tags),
        }
        subject = f"{target} {self.trade.format} {holding.name.full}@{version.version}"
        record(self.actor, "version.pushed", subject, workspace=target.workspace_id, new=new)

    def _keep_for_members(self, holding: Holding) -> None:
        """A package that only members see stays theirs in a registry that anybody reads. Raises MembersOnly."""
        source, target, name, kind = self.source, self.target, holding.name.full, self.trade.format
        key = Target(kind, name)
        if not target.is_public or not is_restricted(source, key) or is_restricted(target, key):
            return
        if Package.objects.filter(registry=target, format=kind, name=name).exists():
            raise MembersOnly(f"{name} is for members only in {source}, and anybody may see it in {target}.")
        restrict(target.pk, kind, name)
        old, new = {"restricted": False}, {"restricted": True}
        record(self.actor, "access.status", f"{target} {kind} {name}", workspace=target.workspace_id, old=old, new=new)


def _check_fits(target: Registry, trade: Trade, holding: Holding, rows: Sequence[int]) -> None:
    """What was pulled from a source that is not internal goes only where it would be seen, and where its bytes are not others.

    Raises VersionHidden, VersionExists, InternalSourceUnavailable.
    """
    public = Version.objects.filter(pk__in=list(rows), origin=Version.Origin.PULLED, is_internal=False)
    found = list(public.only("version", "integrity", "shasum", "is_internal"))
    if not found:
        return
    name = holding.name
    decision = trade.judge(target, name)
    if decision.is_internal is None:
        raise InternalSourceUnavailable(
            f"Internal upstream {decision.blocked_by} cannot answer for {name.full}, so nobody knows whether it is internal in {target}.",
            upstream=decision.blocked_by,
            retry_after=30,
        )
    if decision.is_internal:
        raise VersionHidden(
            f"{name.full} is internal in {target}, so {name.full}@{found[0].version}, which was pulled from a source that is not, "
            "would be hidden there."
        )
    if others := trade.others(target.pk, name, found):
        raise _other_bytes(target, holding, others)


def _other_bytes(target: Registry, holding: Holding, version: str) -> VersionExists:
    return VersionExists(f"{target} has seen other bytes of {holding.name.full}@{version} first, and keeps to them.")


def _nothing() -> None:
    """Nothing is to be done before it is our turn to write."""
