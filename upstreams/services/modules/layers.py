"""What a registry may show of modules: what it holds, and what the registries behind it hold, nearest first, by the rule.

Serving asks no public source: modules come in by mirroring. What one said last still tells that a name is its, in its place
in the order. Internal sources that may have any name are asked before what is held behind may be shown (`hearing`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packages.models import Format
from registries.models import Registry
from upstreams.models import Upstream, UpstreamDocument
from upstreams.resolution import decide
from upstreams.selectors.chain import behind_of
from upstreams.selectors.facts import Ground, NameRows, Replied, facts_of
from upstreams.selectors.held import HeldRow, held_rows, tombstone_rows
from upstreams.services.modules.hearing import Hearing
from upstreams.terms import Decision, Kind, Outcome, Reply

CHUNK = 500  # names judged at once
LACKING = Replied(Reply.ABSENT)


@dataclass(frozen=True)
class Layer:
    """A registry whose versions may be shown, and the links that lead to it, the asked registry's own first."""

    registry: Registry
    links: tuple[Upstream, ...] = ()

    @property
    def on_the_way(self) -> tuple[int, ...]:
        """The registries a version of it comes into when it is asked for."""
        return tuple(link.registry_id for link in self.links)


@dataclass(frozen=True)
class Sight:
    """What the rule lets a registry show of a name. `shows_pulled`: also what was pulled and is not internal."""

    name: str
    decision: Decision
    layers: tuple[Layer, ...]

    @property
    def shows_pulled(self) -> bool:
        """As long as the name is not known to be internal."""
        return self.decision.is_internal is not True


def sights(registry: Registry, ground: Ground, names: Iterable[str]) -> Iterator[Sight]:
    """Each of `names` (as written), in order; a fixed number of statements for every 500. Raises RuleChanged."""
    listed = sorted(set(names))
    survey = _Survey(registry, ground, set(behind_of(registry, ground)) - {registry.pk}, Hearing(registry, ground))
    for start in range(0, len(listed), CHUNK):
        yield from survey.of(listed[start : start + CHUNK])


@dataclass(frozen=True)
class _Survey:
    """A look at many names of one registry. `behind`: the registries behind it."""

    registry: Registry
    ground: Ground
    behind: set[int]
    hearing: Hearing

    def of(self, names: Sequence[str]) -> Iterator[Sight]:
        folded = sorted({name.lower() for name in names})
        held = held_rows(self.registry.workspace_id, Format.MOONBIT, folded)
        tombstones = tombstone_rows(self.registry.workspace_id, Format.MOONBIT, folded)
        said = self._said_last(names)
        about = {name: NameRows(held.get(name.lower(), ()), tombstones.get(name.lower(), {}), said[name]) for name in names}
        found = {name: self._decided(name, rows) for name, rows in about.items()}
        open_ones = {name: one.ask for name, one in found.items() if one.outcome is Outcome.ASK and self._is_behind(name, about[name].held)}
        for name, words in self.hearing.of({name: [path[-1] for path in ask] for name, ask in open_ones.items()}):
            rows = about[name]
            found[name] = self._decided(name, NameRows(rows.held, rows.tombstones, {**rows.replies, **words}))
        for name in names:
            yield Sight(name, found[name], tuple(self._layers(found[name])))

    def _decided(self, name: str, rows: NameRows) -> Decision:
        return decide(facts_of(self.registry, name, self.ground, rows))

    def _is_behind(self, name: str, held: Sequence[HeldRow]) -> bool:
        return any(row.registry_id in self.behind and row.spelled == name for row in held)

    def _said_last(self, names: Sequence[str]) -> dict[str, dict[int, Replied]]:
        """What public sources said of the names, however long ago; nothing is as good as no."""
        public = [pk for pk, row in self.ground.by_id.items() if row.kind != Kind.REGISTRY and not row.is_internal]
        if not self.behind or not public:
            return {name: {} for name in names}
        none = dict.fromkeys(public, LACKING)
        rows = UpstreamDocument.objects.filter(upstream__in=public, name__in=list(names), is_present=True).values_list("name", "upstream")
        found: dict[str, dict[int, Replied]] = {}
        for name, pk in rows:
            found.setdefault(name, {**none})[pk] = Replied(Reply.HAS)
        return {name: found.get(name, none) for name in names}

    def _layers(self, decision: Decision) -> Iterator[Layer]:
        """A name that no internal source was asked about is shown as it is held here, and nowhere else."""
        by_id: Mapping[int, Upstream] = self.ground.by_id
        for path in [()] if decision.outcome is Outcome.ASK else decision.answering:
            links = tuple(by_id[pk] for pk in path)
            source = links[-1].source if links else self.registry
            if source is not None and all(link.kind == Kind.REGISTRY for link in links):
                yield Layer(source, links)
