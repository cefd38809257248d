"""Applying the rule: gather facts, decide, ask what the decision says, until it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from packages.formats.npm.names import Name
from registries.models import Registry
from upstreams.errors import InternalSourceUnavailable, RuleChanged, SourceAbsent, UpstreamUnreachable
from upstreams.models import Upstream, UpstreamDocument
from upstreams.resolution import decide
from upstreams.selectors.facts import EPOCHS, Epochs, Replied, Situation, epochs_in, gather, last_replies
from upstreams.services.consult import consult
from upstreams.services.remembering import remember_internal
from upstreams.terms import Decision, Outcome, Path, Reply
from workspaces import statements
from workspaces.prepared import Row, Statement

TRIES = 6  # times a decision is begun anew because the facts changed under it
ROUNDS = 64  # questions one decision may take


class Superseded(Exception):
    """The epochs moved on between the decision and the question; begin anew. Never leaves this module."""


class Resolution:
    """A decision with the situation it was made in."""

    def __init__(self, registry: Registry, name: Name, situation: Situation, decision: Decision) -> None:
        self.registry, self.name = registry, name
        self.situation, self.decision = situation, decision

    @property
    def epochs(self) -> Epochs:
        """What the decision is dated by."""
        return self.situation.epochs

    def answered(self) -> list[tuple[Upstream, Replied]]:
        """The external sources that answer, nearest first."""
        upstreams, replies = self.situation.upstreams, self.situation.replies
        ids = [path[-1] for path in self.decision.answering if path]
        return [(upstreams[upstream_id], replies[upstream_id]) for upstream_id in ids if upstream_id in replies]

    def offered_at(self, path: Path) -> UpstreamDocument | None:
        """What the upstream that a path ends in says it has; None when it was not asked or has nothing."""
        said = self.situation.replies.get(path[-1]) if path else None
        return said.document if said is not None else None

    def links_on(self, path: Path) -> list[Upstream]:
        """The `registry` upstreams a path goes through, the asked registry's own first."""
        found = (self.situation.upstreams[upstream_id] for upstream_id in path)
        return [upstream for upstream in found if upstream.kind == Upstream.Kind.REGISTRY]

    def registry_at(self, path: Path) -> Registry | None:
        """The registry a path ends in; None when it leads outside."""
        return self.situation.upstreams[path[-1]].source if path else self.registry

    @property
    def is_stale(self) -> bool:
        """Whether an answer stands in for an upstream in trouble."""
        return bool(self.decision.blocked_by) or any(said.is_stale for _, said in self.answered())


def resolve(registry: Registry, name: Name, *, home_only: bool = False, is_told: bool = False) -> Resolution:
    """The decision for `name` in `registry`, asking sources as the rule allows. `is_told`: also one that is no answer.

    Raises SourceAbsent (404: the sources that decide said so), InternalSourceUnavailable and
    UpstreamUnreachable (503, naming the upstream).
    """
    for _ in range(TRIES):
        try:
            resolution = _settle(registry, name, home_only=home_only)
        except Superseded:
            continue
        return resolution if is_told else _refused(resolution)
    raise RuleChanged("The rules for this package are being changed; try again.", retry_after=1)


def peek(registry: Registry, name: Name) -> Resolution:
    """The decision by what sources said last, however long ago; nobody is asked, and its outcome may be ASK."""
    everybody = Upstream.objects.filter(registry__workspace_id=registry.workspace_id).values_list("pk", flat=True)
    situation = gather(registry, "npm", name.full, replies=last_replies(everybody, name.full), asks=False)
    return Resolution(registry, name, situation, decide(situation.facts))


def judge(registry: Registry, name: Name) -> Decision:
    """Whether `name` is internal, asking internal upstreams alone: where the decision is that it is public, nobody else was asked.

    An outcome that names `blocked_by` is of an internal upstream that could not say.
    """
    for _ in range(TRIES):
        try:
            return _settle(registry, name, home_only=False, only_internal=True).decision
        except Superseded:
            continue
    raise RuleChanged("The rules for this package are being changed; try again.", retry_after=1)


def _settle(registry: Registry, name: Name, *, home_only: bool, only_internal: bool = False) -> Resolution:
    replies: dict[int, Replied] = {}
    situation: Situation | None = None
    for _ in range(ROUNDS):
        before, situation = situation, gather(registry, "npm", name.full, replies=replies, home_only=home_only, before=situation)
        if before is not None and situation.epochs != before.epochs:
            raise Superseded
        decision = decide(situation.facts)
        if decision.outcome is not Outcome.ASK or (only_internal and decision.is_internal is not None):
            return Resolution(registry, name, situation, decision)
        cached = situation.cached([path[-1] for path in decision.ask], name.full, timezone.now())
        for path in decision.ask:
            said = cached.get(path[-1]) or _ask(registry, name, situation, path)
            upstream = situation.upstreams[path[-1]]
            if upstream.is_internal and said.reply is Reply.HAS:
                _remember(registry, upstream, name)
            replies[path[-1]] = said
    raise UpstreamUnreachable("There are too many sources to ask.", retry_after=30)


def _ask(registry: Registry, name: Name, situation: Situation, path: Path) -> Replied:
    """Put the question, if the decision still holds when the connection stands, and again when the answer is kept."""
    return consult(situation.upstreams[path[-1]], name, still_holds=SameEpochs(registry, name, situation.epochs))


@dataclass(frozen=True)
class SameEpochs:
    """Whether a decision still holds: nothing it depends on has changed since. Raises Superseded."""

    registry: Registry
    name: Name
    epochs: Epochs

    @property
    def statement(self) -> Statement:
        """What it looks at."""
        return EPOCHS, ["npm", self.name.folded, self.registry.workspace_id]

    def judge(self, rows: Sequence[Row]) -> None:
        """By what the statement found."""
        if epochs_in(rows) != self.epochs:
            raise Superseded

    def __call__(self) -> None:
        """Look, and judge."""
        self.judge(statements.rows(*self.statement))


def _remember(registry: Registry, upstream: Upstream, name: Name) -> None:
    if remember_internal(registry, upstream, "npm", name.full, name.folded):
        raise Superseded


def _refused(resolution: Resolution) -> Resolution:
    """The resolution, unless its outcome is no answer."""
    decision, name = resolution.decision, resolution.name
    if decision.outcome is Outcome.ANSWER:
        return resolution
    if decision.outcome is Outcome.ABSENT:
        why = decision.clause if decision.is_internal else ""
        raise SourceAbsent(f"There is no package {name.full} in {resolution.registry}.", why=why)
    said = next((said for said in resolution.situation.replies.values() if said.error and said.reply is Reply.FAILED), None)
    trouble = said.error if said is not None else None
    if decision.is_internal is False and trouble is not None:
        raise trouble
    why = trouble.message if trouble is not None else ""
    raise InternalSourceUnavailable(
        f"Internal upstream {decision.blocked_by} cannot answer for {name.full}, so no other source is asked. {why}".strip(),
        upstream=decision.blocked_by,
        retry_after=30,
    )
