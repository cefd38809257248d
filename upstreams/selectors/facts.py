"""Gathers the facts of one moment for the rule: a handful of queries, no network."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from packages.models import Version
from registries.models import Registry
from upstreams.errors import UpstreamError
from upstreams.models import Upstream, UpstreamDocument
from upstreams.selectors.held import BURIED, HELD, HeldRow, made_held
from upstreams.terms import Facts, Home, Kind, Reply, Source
from workspaces import reading, statements
from workspaces.access import matches
from workspaces.prepared import Row, Statement

EPOCHS = (
    "SELECT COALESCE(e.epoch, 0), w.rule_epoch FROM workspaces_workspace w"
    " LEFT JOIN packages_nameepoch e ON e.workspace_id = w.id AND e.format = %s AND e.name = %s WHERE w.id = %s"
)
# A link to another registry of the workspace is for packages of every format, unless it was made for one other than npm's.
UPSTREAMS = (
    "JOIN registries_registry r ON r.id = t.registry_id WHERE r.workspace_id = %s"
    " AND (t.format = %s OR (t.kind = 'registry' AND t.format = 'npm')) ORDER BY t.priority, t.id"
)
SAID = "WHERE t.upstream_id IN (SELECT id FROM upstreams_upstream WHERE registry_id = %s AND format = %s) AND t.name = %s"
CLAIMS = "SELECT pattern FROM workspaces_claim WHERE workspace_id = %s ORDER BY pattern"
DEPTH = 8  # registries in a row; a longer chain is cut, which asks fewer sources, never more


@dataclass(frozen=True)
class Epochs:
    """The two counters that date an answer."""

    name: int
    rule: int


@dataclass(frozen=True)
class Replied:
    """What an upstream said, and the stored document behind it."""

    reply: Reply
    detail: str = ""
    document: UpstreamDocument | None = None
    is_stale: bool = False
    error: UpstreamError | None = None


@dataclass(frozen=True)
class Situation:
    """Facts with the epochs they were read under and the rows behind them."""

    registry_id: int
    facts: Facts
    epochs: Epochs
    ground: "Ground"
    about: "NameRows"
    said: Mapping[int, UpstreamDocument]  # what the registry's own upstreams said last, fresh or not; none where nobody is to be asked

    def cached(self, upstream_ids: Iterable[int], name: str, now: datetime) -> dict[int, Replied]:
        """What of that, and of other registries' upstreams, still counts as their answer."""
        found, others = {}, []
        for one in upstream_ids:
            if one not in self.own:
                others.append(one)
            elif one in self.said and self.said[one].fresh_until > now:
                found[one] = replied(self.said[one])
        return found | cached_replies(others, name, now) if others else found

    @cached_property
    def own(self) -> frozenset[int]:
        """The registry's own upstreams."""
        return frozenset(one.pk for one in self.ground.upstreams.get(self.registry_id, ()))

    @property
    def replies(self) -> Mapping[int, Replied]:
        """What upstreams said, by the upstream's id."""
        return self.about.replies

    @property
    def upstreams(self) -> Mapping[int, Upstream]:
        """Every upstream of the workspace."""
        return self.ground.by_id


@dataclass(frozen=True)
class _Held:
    """Versions of the name in one registry, counted."""

    own: int = 0
    internal: int = 0
    pulled: int = 0
    pulled_internal: int = 0
    family_internal: int = 0
    family_own_internal: int = 0


def current_epochs(registry: Registry, format: str, folded: str) -> Epochs:  # noqa: A002
    """The epochs of this moment."""
    return epochs_in(statements.rows(EPOCHS, [format, folded, registry.workspace_id]))  # asked several times per question


def epochs_in(rows: Sequence[Row]) -> Epochs:
    """What the statement EPOCHS found."""
    return Epochs(*rows[0]) if rows else Epochs(-1, -1)


def gather(
    registry: Registry,
    format: str,  # noqa: A002 - the field's own word
    name: str,
    *,
    replies: Mapping[int, Replied],
    home_only: bool = False,
    before: Situation | None = None,
    asks: bool = True,
) -> Situation:
    """Read the facts about `name` (as written) in `registry`. Epochs are read first, so a race only makes us ask again.

    `before`: the last look at the same name, which counts as long as its epochs do; what upstreams said since is added to it.
    `asks`: whether somebody may be asked by it, so that what was said earlier is read too.
    """
    folded, workspace_id = name.lower(), registry.workspace_id
    if before is not None and current_epochs(registry, format, folded) == before.epochs:
        about = replace(before.about, replies=replies)
        return replace(before, facts=facts_of(registry, name, before.ground, about, home_only=home_only), about=about)
    about_name = [workspace_id, format, folded]
    questions = [(EPOCHS, [format, folded, workspace_id]), (HELD, about_name), (BURIED, about_name)]
    earlier = [(reading.selecting(UpstreamDocument, SAID, without="body"), [registry.pk, format, name])] if asks else []
    epochs, held, buried, claims, upstreams, *said = statements.several([*questions, *Ground.asking(workspace_id, format), *earlier])
    ground = Ground.made(workspace_id, claims, upstreams)
    about = NameRows(made_held(held), dict(buried), replies)
    facts = facts_of(registry, name, ground, about, home_only=home_only)
    documents = {row.upstream_id: row for rows in said for row in reading.made(UpstreamDocument, rows, without="body")}
    return Situation(registry.pk, facts, epochs_in(epochs), ground, about, documents)


@dataclass(frozen=True)
class Ground:
    """What the rule knows of a workspace whatever the name: its upstreams by registry, its claims."""

    workspace_id: int
    upstreams: Mapping[int, list[Upstream]]
    claims: Sequence[str]

    @classmethod
    def read(cls, workspace_id: int, format: str) -> "Ground":  # noqa: A002
        """As it is now."""
        return cls.made(workspace_id, *statements.several(cls.asking(workspace_id, format)))

    @staticmethod
    def asking(workspace_id: int, format: str) -> list[Statement]:  # noqa: A002
        """The statements that read it, for `made`."""
        return [(CLAIMS, [workspace_id]), (reading.selecting(Upstream, UPSTREAMS), [workspace_id, format])]

    @classmethod
    def made(cls, workspace_id: int, claims: Sequence[Row], upstreams: Sequence[Row]) -> "Ground":
        """From what they found."""
        return cls(workspace_id, _by_registry(workspace_id, reading.made(Upstream, upstreams)), [pattern for (pattern,) in claims])

    @cached_property
    def by_id(self) -> dict[int, Upstream]:
        """Every upstream of the workspace."""
        return {upstream.pk: upstream for group in self.upstreams.values() for upstream in group}

    @cached_property
    def labels(self) -> dict[int, str]:
        """The registries of the workspace as people read them; asked only where a word for one is needed."""
        return {found.pk: str(found) for found in Registry.objects.filter(workspace_id=self.workspace_id).select_related("workspace")}

    def internal_patterns(self) -> Iterator[tuple[str, str]]:
        """Each pattern whose names are internal, with a word for it: claims, and what internal upstreams are limited to.

        The latter count also while the upstream is disabled.
        """
        yield from ((pattern, f"the claim {pattern}") for pattern in self.claims)
        for group in self.upstreams.values():
            for row in group:
                if row.kind != Upstream.Kind.REGISTRY and row.is_internal:
                    known = (pattern for pattern in row.patterns if pattern != "*")
                    yield from ((pattern, f"the pattern {pattern} of internal upstream {row.name}") for pattern in known)


@dataclass(frozen=True)
class NameRows:
    """The rows about one canonical name: versions held in the workspace, tombstones by registry, what upstreams said."""

    held: Sequence[HeldRow] = ()
    tombstones: Mapping[int | None, str] = field(default_factory=dict)
    replies: Mapping[int, Replied] = field(default_factory=dict)


def facts_of(registry: Registry, name: str, ground: Ground, about: NameRows, *, home_only: bool = False) -> Facts:
    """The facts about `name` (as written) in `registry`, from rows that were read before."""
    folded, held = name.lower(), _tally(about.held, name)
    builder = _Builder(ground.upstreams, held, about.tombstones, folded, about.replies)
    others = [key for key, count in held.items() if count.family_own_internal and key != registry.pk]
    return Facts(
        name=folded,
        home=builder.home(registry, frozenset()),
        claim=next((word for pattern, word in ground.internal_patterns() if matches(pattern, folded)), ""),
        tombstone=about.tombstones.get(None, ""),
        held_by=ground.labels[others[0]] if others else "",
        home_only=home_only,
    )


def cached_replies(upstream_ids: Iterable[int], name: str, now: datetime) -> dict[int, Replied]:
    """What upstreams said earlier and still counts as their answer."""
    tail = "WHERE t.upstream_id = %s AND t.name = %s AND t.fresh_until > %s"
    found = (reading.first(UpstreamDocument, tail, [one, name, statements.moment(now)], without="body") for one in upstream_ids)
    return {row.upstream_id: replied(row) for row in found if row is not None}


def last_replies(upstream_ids: Iterable[int], name: str) -> dict[int, Replied]:
    """What upstreams said last, whether or not it still counts: for people, who are told from when it is."""
    rows = UpstreamDocument.objects.filter(upstream_id__in=upstream_ids, name=name).defer("body")
    return {row.upstream_id: replied(row) for row in rows}


def replied(row: UpstreamDocument, *, stale: bool = False, detail: str = "") -> Replied:
    """A stored document as a reply."""
    return Replied(Reply.HAS if row.is_present else Reply.ABSENT, detail, row, stale)


@dataclass(frozen=True)
class _Builder:
    """Builds the tree of sources below a registry."""

    upstreams: Mapping[int, list[Upstream]]
    held: Mapping[int, _Held]
    tombstones: Mapping[int | None, str]
    folded: str
    replies: Mapping[int, Replied]

    def home(self, registry: Registry, seen: frozenset[int]) -> Home:
        """The registry and, without loops, what stands behind its upstreams."""
        seen = seen | {registry.pk}
        held = self.held.get(registry.pk, _Held())
        return Home(
            label=str(registry),
            own=held.own,
            internal=held.internal,
            pulled=held.pulled,
            pulled_internal=held.pulled_internal,
            family_internal=held.family_internal,
            tombstone=self.tombstones.get(registry.pk, ""),
            sources=tuple(self._sources(registry, seen)),
        )

    def _sources(self, registry: Registry, seen: frozenset[int]) -> list[Source]:
        return [source for row in self.upstreams.get(registry.pk, []) if (source := self._source(row, seen)) is not None]

    def _source(self, row: Upstream, seen: frozenset[int]) -> Source | None:
        fits = not row.patterns or any(matches(pattern, self.folded) for pattern in row.patterns)
        source = Source(id=row.pk, label=row.name, kind=Kind(row.kind), is_enabled=row.is_enabled, is_internal=row.is_internal, fits=fits)
        if row.kind == Upstream.Kind.REGISTRY:
            if row.source is None or row.source.pk in seen or len(seen) >= DEPTH:
                return None
            return replace(source, is_internal=False, home=self.home(row.source, seen))
        said = self.replies.get(row.pk, Replied(Reply.UNASKED))
        return replace(source, reply=said.reply, detail=said.detail)


def _by_registry(workspace_id: int, rows: Sequence[Upstream]) -> dict[int, list[Upstream]]:
    """In the order they are asked; those that name a registry of the workspace have it at hand."""
    sources: dict[int, Registry] = {}
    if any(row.source_id for row in rows):
        sources = {one.pk: one for one in Registry.objects.select_related("workspace").filter(workspace_id=workspace_id)}
    found: dict[int, list[Upstream]] = defaultdict(list)
    for row in rows:
        if row.source_id is not None:
            row.source = sources.get(row.source_id)
        found[row.registry_id].append(row)
    return found


def _tally(rows: Iterable[HeldRow], name: str) -> dict[int, _Held]:
    found: dict[int, _Held] = {}
    for row in rows:
        held = found.get(row.registry_id, _Held())
        is_own = row.origin != Version.Origin.PULLED
        exact = row.spelled == name
        found[row.registry_id] = _Held(
            own=held.own + (exact and is_own),
            internal=held.internal + (exact and row.is_internal),
            pulled=held.pulled + (exact and not is_own and not row.is_internal),
            pulled_internal=held.pulled_internal + (exact and not is_own and row.is_internal),
            family_internal=held.family_internal + row.is_internal,
            family_own_internal=held.family_own_internal + (row.is_internal and is_own),
        )
    return found
