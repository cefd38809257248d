"""Applying the rule to modules: gather, decide, ask what the decision says, until it is made (`upstreams.services.resolve` for npm)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.utils import timezone

from packages.formats.moonbit.names import Name
from packages.models import Format
from registries.models import Registry
from upstreams.errors import InternalSourceUnavailable, RuleChanged, SourceAbsent, UpstreamUnreachable
from upstreams.models import Upstream, UpstreamDocument
from upstreams.resolution import decide
from upstreams.selectors.facts import Replied, Situation, current_epochs, gather, last_replies
from upstreams.services.modules.consult import consult
from upstreams.services.remembering import remember_internal
from upstreams.terms import Decision, Outcome, Path, Reply
from workspaces.errors import Conflict

TRIES = 6  # times a decision is begun anew because the facts changed under it
ROUNDS = 64  # questions one decision may take
EVER = datetime(1970, 1, 1, tzinfo=UTC)


class Superseded(Exception):
    """The epochs moved on between the decision and the question; begin anew. Never leaves this module."""


class OtherSource(Conflict):
    """The rule names another source for the module than the one it was wanted from."""

    code = "other_source"


@dataclass(frozen=True)
class Resolution:
    """A decision about a module with the situation it was made in."""

    registry: Registry
    name: Name
    situation: Situation
    decision: Decision

    def offered_at(self, path: Path) -> UpstreamDocument | None:
        """What the upstream that a path ends in says it has, if the rule lets it answer."""
        said = self.situation.replies.get(path[-1]) if path in self.decision.answering else None
        return said.document if said is not None else None

    def check_still_holds(self) -> None:
        """Raises RuleChanged once the rules for the name are others."""
        if current_epochs(self.registry, Format.MOONBIT, self.name.folded) != self.situation.epochs:
            raise RuleChanged("The rules for this module changed just now; try again.", retry_after=1)


def resolve(registry: Registry, name: Name, *, fresh: Mapping[int, datetime] | None = None, is_told: bool = False) -> Resolution:
    """The decision for `name`, asking sources as the rule allows. `fresh`: by upstream, since when its answers count.

    `is_told`: also one that is no answer, for whoever explains it.
    Raises SourceAbsent, InternalSourceUnavailable, UpstreamError subclasses, RuleChanged.
    """
    for _ in range(TRIES):
        try:
            resolution = _settle(registry, name, fresh or {})
        except Superseded:
            continue
        return resolution if is_told else _refused(resolution)
    raise RuleChanged("The rules for this module are being changed; try again.", retry_after=1)


def peek(registry: Registry, name: Name) -> Resolution:
    """The decision by what sources said last, however long ago; nobody is asked, and its outcome may be ASK."""
    everybody = Upstream.objects.filter(registry__workspace_id=registry.workspace_id).values_list("pk", flat=True)
    situation = gather(registry, Format.MOONBIT, name.full, replies=last_replies(everybody, name.full), asks=False)
    return Resolution(registry, name, situation, decide(situation.facts))


def judge(registry: Registry, name: Name, *, fresh: Mapping[int, datetime] | None = None) -> Decision:
    """Whether `name` is internal, asking internal upstreams alone: where the decision is that it is public, nobody else was asked."""
    for _ in range(TRIES):
        try:
            return _settle(registry, name, fresh or {}, only_internal=True).decision
        except Superseded:
            continue
    raise RuleChanged("The rules for this module are being changed; try again.", retry_after=1)


def source_for(resolution: Resolution, upstream: Upstream) -> UpstreamDocument:
    """What `upstream` has of the module. Raises OtherSource with the clause by which it is not asked, and its own trouble."""
    said = resolution.situation.replies.get(upstream.pk)
    document = resolution.offered_at((upstream.pk,))
    if document is not None:
        if said is not None and said.error is not None:
            raise said.error  # what it said earlier serves readers; whoever wants it anew has to know
        return document
    clause = next((step.clause for step in resolution.decision.steps if step.path == (upstream.pk,)), "it is no source of this registry")
    raise OtherSource(f"{resolution.name.full} does not come from {upstream.name}: {clause}.")


def _settle(registry: Registry, name: Name, fresh: Mapping[int, datetime], *, only_internal: bool = False) -> Resolution:
    replies: dict[int, Replied] = {}
    situation: Situation | None = None
    for _ in range(ROUNDS):
        situation = gather(registry, Format.MOONBIT, name.full, replies=replies, before=situation)
        decision = decide(situation.facts)
        if decision.outcome is not Outcome.ASK or (only_internal and decision.is_internal is not None):
            return Resolution(registry, name, situation, decision)
        cached = situation.cached([path[-1] for path in decision.ask], name.full, timezone.now())
        for path in decision.ask:
            upstream = situation.upstreams[path[-1]]
            since = fresh.get(upstream.pk, EVER)
            known = cached.get(upstream.pk)
            if known is None or (known.document is not None and known.document.fetched_at < since):
                known = _ask(registry, name, situation, path, since)
            if upstream.is_internal and known.reply is Reply.HAS:
                _remember(registry, upstream, name)
            replies[upstream.pk] = known
    raise UpstreamUnreachable("There are too many sources to ask.", retry_after=30)


def _ask(registry: Registry, name: Name, situation: Situation, path: Path, since: datetime) -> Replied:
    def still_holds() -> None:
        if current_epochs(registry, Format.MOONBIT, name.folded) != situation.epochs:
            raise Superseded

    said = consult(situation.upstreams[path[-1]], name, since, still_holds=still_holds)
    still_holds()
    return said


def _remember(registry: Registry, upstream: Upstream, name: Name) -> None:
    if remember_internal(registry, upstream, Format.MOONBIT, name.full, name.folded):
        raise Superseded


def _refused(resolution: Resolution) -> Resolution:
    """The resolution, unless its outcome is no answer."""
    decision, name = resolution.decision, resolution.name
    if decision.outcome is Outcome.ANSWER:
        return resolution
    if decision.outcome is Outcome.ABSENT:
        raise SourceAbsent(f"There is no module {name.full} in {resolution.registry}.", why=decision.clause if decision.is_internal else "")
    said = next((said for said in resolution.situation.replies.values() if said.error and said.reply is Reply.FAILED), None)
    trouble = said.error if said is not None else None
    if decision.is_internal is False and trouble is not None:
        raise trouble
    raise InternalSourceUnavailable(
        f"Internal upstream {decision.blocked_by} cannot answer for {name.full}, so no other source is asked."
        f" {trouble.message if trouble is not None else ''}".strip(),
        upstream=decision.blocked_by,
        retry_after=30,
    ) from trouble
