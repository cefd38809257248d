"""Facts about many names at once, for questions that are not about one package: search and audit.

The lists are cut into CHUNKs, so ten thousand names take some sixty statements. What is decided from these facts
is the rule's business, as everywhere.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from packages.models import NameEpoch
from registries.models import Registry
from upstreams.models import UpstreamDocument
from upstreams.selectors.facts import Ground, NameRows, Replied, facts_of, replied
from upstreams.selectors.held import held_rows, tombstone_rows
from upstreams.terms import Facts
from workspaces.models import Workspace

CHUNK = 500  # names in one statement: within what SQLite takes as parameters


@dataclass(frozen=True)
class Moment:
    """The epochs of a workspace and of some names at one moment: what was decided under them holds while they are equal."""

    rule: int
    names: Mapping[str, int]


def moment_of(registry: Registry, names: Iterable[str]) -> Moment:
    """The epochs of this moment, read anew."""
    rule = Workspace.objects.filter(pk=registry.workspace_id).values_list("rule_epoch", flat=True).first()
    found: dict[str, int] = {}
    for chunk in _chunks(sorted({name.lower() for name in names})):
        rows = NameEpoch.objects.filter(workspace_id=registry.workspace_id, format="npm", name__in=chunk)
        found |= dict(rows.values_list("name", "epoch"))
    return Moment(-1 if rule is None else rule, found)


def gather_many(registry: Registry, ground: Ground, names: Sequence[str], now: datetime) -> Iterator[tuple[str, Facts]]:
    """The facts about each of `names` (as written) in `registry`, with what upstreams said of them and still counts."""
    for chunk in _chunks(names):
        folded = sorted({name.lower() for name in chunk})
        held = held_rows(registry.workspace_id, "npm", folded)
        tombstones = tombstone_rows(registry.workspace_id, "npm", folded)
        said = _replies(ground, chunk, now)
        for name in chunk:
            key = name.lower()
            about = NameRows(held.get(key, ()), tombstones.get(key, {}), said.get(name, {}))
            yield name, facts_of(registry, name, ground, about)


def _replies(ground: Ground, names: Sequence[str], now: datetime) -> dict[str, dict[int, Replied]]:
    """What upstreams said, by name: internal ones as long as it counts, others last (that only tells who has the name)."""
    upstreams = ground.by_id
    found: dict[str, dict[int, Replied]] = {}
    for row in UpstreamDocument.objects.filter(upstream_id__in=list(upstreams), name__in=names).defer("body"):
        if row.fresh_until > now or not upstreams[row.upstream_id].is_internal:
            found.setdefault(row.name, {})[row.upstream_id] = replied(row)
    return found


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + CHUNK] for start in range(0, len(names), CHUNK))
