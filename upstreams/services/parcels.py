"""What is to be sent on from a registry: the versions that words mean, with what they depend on, as the rule lets them be seen.

Asked of the rule name by name (`judge`: internal upstreams may be asked, no public one is); what the rule hides is not
sent on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from packages.errors import PackageNotFound, VersionNotFound
from packages.formats.npm.ranges import EVERY
from packages.models import Package, Tag, Version
from packages.selectors import UNSHADOWED
from registries.models import Registry
from upstreams.errors import RuleChanged, VersionHidden
from upstreams.selectors.facts import Epochs, current_epochs
from upstreams.services.trades import NPM, Named, Needed, Trade
from upstreams.terms import Decision
from workspaces.access import Action, Actor, Target
from workspaces.errors import Invalid

TRIES = 6  # times the rule may change between two looks
AT_ONCE = 1000  # versions in one go: in one transaction, where they go to another registry


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is wanted: a package, words for its versions (none: the usual ones), and whether what they depend on comes too."""

    name: Named
    versions: tuple[str, ...] = ()
    dependencies: bool = False
    trade: Trade = NPM


@dataclass(frozen=True)
class LeftOut:
    """A dependency that did not come along, and why."""

    name: str
    wanted: str
    why: str


@dataclass(frozen=True)
class Holding:
    """What a registry holds of a name and may show, with the decision that says so. `versions`: number -> row."""

    name: Named
    decision: Decision
    epochs: Epochs
    versions: Mapping[str, int]
    tags: Mapping[str, str]

    @property
    def may_be_internal(self) -> bool:
        """Whether the name is internal, or nobody can tell now (unknown is treated as internal)."""
        return self.decision.is_internal is not False


@dataclass
class Parcels:
    """The versions to be sent on, by name, each name once; and what they depend on that is not among them."""

    trade: Trade = NPM
    holdings: dict[str, Holding] = field(default_factory=dict)
    chosen: dict[str, dict[str, int]] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def add(self, holding: Holding, numbers: Sequence[str]) -> list[int]:
        """Choose versions; the rows of those that were not chosen yet. Raises Invalid for too many."""
        known = self.chosen.setdefault(holding.name.full, {})
        new = {number: holding.versions[number] for number in numbers if number not in known}
        known.update(new)
        if sum(map(len, self.chosen.values())) > AT_ONCE:
            raise Invalid(f"These are more than {AT_ONCE:,} versions; send them in parts.", fields={"versions": "too many"})
        return list(new.values())

    def in_order(self) -> Iterator[tuple[Holding, list[int]]]:
        """Name by name, in the one order in which everybody locks names; versions oldest first."""
        for name in sorted(self.chosen, key=lambda name: (name.lower(), name)):
            rows = self.chosen[name]
            yield self.holdings[name], [rows[number] for number in sorted(rows, key=self.trade.sort_key)]


def parcels_of(actor: Actor, source: Registry, order: Order) -> Parcels:
    """What `order` means in `source`. Raises PackageNotFound, VersionNotFound, VersionHidden, Invalid."""
    found = Parcels(order.trade)
    holding = _holding(source, order.name, order.trade)
    found.holdings[order.name.full] = holding
    rows = found.add(holding, _asked_for(source, holding, order))
    while order.dependencies and rows:
        rows = [row for name, wanted in _needed(found, rows) for row in _follow(actor, source, found, name, wanted)]
    return found


def _asked_for(source: Registry, holding: Holding, order: Order) -> list[str]:
    chosen: dict[str, None] = {}
    words, trade = order.versions or (EVERY,), order.trade
    tags = _tags_seen(source, holding, trade) if any(word != EVERY and word not in holding.versions for word in words) else {}
    for word in words:
        meant = trade.meant_by(word, holding.versions, tags)
        if not meant:
            raise _missing(source, holding, word, tags, trade)
        chosen.update(dict.fromkeys(meant))
    return list(chosen)


def _tags_seen(source: Registry, holding: Holding, trade: Trade) -> Mapping[str, str]:
    """The tags that clients of the registry see, by what its sources said last: of what was pulled they are an upstream's."""
    return {**holding.tags, **trade.tags_seen(source, holding.name, holding.versions)}


def _missing(source: Registry, holding: Holding, word: str, tags: Mapping[str, str], trade: Trade) -> Exception:
    """Why there is no such version: it is hidden by the rule, or not here."""
    name = holding.name.full
    held = _versions(source, holding.name, trade).values_list("version", flat=True)
    if trade.meant_by(word, held, {}):
        return VersionHidden(
            f"{name}@{word[:80]} is hidden in {source}: the name is internal and it was pulled from a source that is not. "
            "Tick “Internal” if you trust it, or delete it."
        )
    if not held:
        return PackageNotFound(f"There is no package {name} in {source}.")
    if word in tags:
        return VersionNotFound(f"{word} of {name} is {tags[word]}, which {source} does not hold yet: pull it first.")
    return VersionNotFound(f"{name} has no version {word[:80]} in {source}.")


def _versions(source: Registry, name: Named, trade: Trade) -> QuerySet[Version]:
    return Version.objects.filter(package__registry=source, package__format=trade.format, package__name=name.full)


def _holding(source: Registry, name: Named, trade: Trade) -> Holding:
    """By one decision, whose epochs are those of the moment. Raises RuleChanged."""
    for _ in range(TRIES):
        epochs = current_epochs(source, trade.format, name.folded)
        decision = trade.judge(source, name)
        held = _versions(source, name, trade)
        shown = held if decision.shows_pulled else held.filter(UNSHADOWED)
        tags = Tag.objects.filter(package__registry=source, package__format=trade.format, package__name=name.full)
        holding = Holding(
            name, decision, epochs, dict(shown.values_list("version", "pk")), dict(tags.values_list("name", "version__version"))
        )
        if current_epochs(source, trade.format, name.folded) == epochs:
            return holding
    raise RuleChanged("The rules for this package are being changed; try again.", retry_after=1)


def _needed(found: Parcels, rows: Sequence[int]) -> Needed:
    """What these versions depend on; what is no package of a registry is left out here."""
    needed: dict[tuple[str, str], Named] = {}
    for manifest in Version.objects.filter(pk__in=rows).values_list("manifest", flat=True).iterator(chunk_size=50):
        dependencies, elsewhere = found.trade.needed(bytes(manifest))
        needed.update({(name.full, wanted): name for name, wanted in dependencies})
        found.left_out.extend(LeftOut(name, "", "it does not come from a registry") for name in elsewhere)
    return [(name, wanted) for (_, wanted), name in needed.items()]


def _follow(actor: Actor, source: Registry, found: Parcels, name: Named, wanted: str) -> list[int]:
    """The version an install would take, if the registry holds it and the caller may read it."""
    package = Package.objects.filter(registry=source, format=found.trade.format, name=name.full)
    if not actor.may(Action.READ, source, Target(found.trade.format, name.full)) or not package.exists():
        found.left_out.append(LeftOut(name.full, wanted, f"{source} does not hold it"))
        return []
    holding = found.holdings.get(name.full) or _holding(source, name, found.trade)
    found.holdings[name.full] = holding
    number = found.trade.picked(wanted, holding.versions, holding.tags)
    if number is None:
        found.left_out.append(LeftOut(name.full, wanted, f"{source} holds no version that fits"))
        return []
    return found.add(holding, [number])
