"""The rule: which sources may answer for a package (RULE.md). One pure function over facts.

`decide` is asked again after each answer it asked for, until its outcome is no longer ASK. Nobody else
decides whether a source may be asked. No Django, no network, no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from upstreams.terms import Decision, Facts, Home, Kind, Outcome, Path, Reply, Source, Step

ANSWERS, FAILS, LACKS, TO_ASK = "answers", "could not answer", "does not have it", "to be asked now"
UNASKED = "not asked"
ASKED = frozenset({ANSWERS, FAILS, LACKS})  # the clauses of sources whose word counts; all others were not asked


@dataclass(frozen=True)
class _Public:
    """What a walk through the public sources came to."""

    outcome: Outcome
    paths: tuple[Path, ...] = ()
    blocked_by: str = ""


def decide(facts: Facts) -> Decision:
    """The decision for these facts, with its trace."""
    home_clause = _internal_at_home(facts)
    if home_clause:
        decision = _internal(facts, home_clause)
    elif facts.home_only:
        decision = _from_home_alone(facts)
    else:
        decision = _by_internal_upstreams(facts)
    return replace(decision, tracing=partial(_trace, facts))


def _internal_at_home(facts: Facts) -> str:
    """Rule 1 and 2: why the name is internal by what is known without any network, or ''."""
    if facts.claim:
        return f"internal: by {facts.claim}"
    if facts.home.family_internal:
        return "internal: this registry holds an internal version"
    for _, source in _walk(facts.home):
        if source.home is not None and source.home.family_internal:
            return f"internal: {source.home.label} holds an internal version"
    if facts.held_by:
        return f"internal: {facts.held_by} of the same workspace published an internal version"
    reasons = [facts.tombstone, facts.home.tombstone, *(s.home.tombstone for _, s in _walk(facts.home) if s.home)]
    reason = next((reason for reason in reasons if reason), "")
    return f"internal: tombstone ({reason})" if reason else ""


def _internal(facts: Facts, clause: str) -> Decision:
    """Rule 2: only sources that hold internal versions may answer."""
    candidates = list(_internal_upstreams(facts.home))
    unasked = tuple(path for path, source in candidates if source.reply is Reply.UNASKED)
    if unasked and not facts.home_only:
        return Decision(outcome=Outcome.ASK, is_internal=True, clause=clause, ask=unasked)
    answering: list[Path] = [()] if facts.home.own or facts.home.internal else []
    for path, source in _walk(facts.home):
        holds = source.home is not None and source.home.internal > 0
        if holds or (_is_internal_upstream(source) and source.reply is Reply.HAS):
            answering.append(path)
    failed = next((source.label for _, source in candidates if source.reply is Reply.FAILED), "")
    if answering:
        return Decision(outcome=Outcome.ANSWER, is_internal=True, clause=clause, answering=tuple(answering), blocked_by=failed)
    outcome = Outcome.UNAVAILABLE if failed and not facts.home_only else Outcome.ABSENT
    return Decision(outcome=outcome, is_internal=True, clause=clause, blocked_by=failed)


def _from_home_alone(facts: Facts) -> Decision:
    """A question around a publish: nobody is asked, so that a new name does not leak."""
    clause = "answered from home alone: the question belongs to a publish"
    if facts.home.holds_any:
        return Decision(outcome=Outcome.ANSWER, is_internal=None, clause=clause, answering=((),), shows_pulled=True)
    return Decision(outcome=Outcome.ABSENT, is_internal=None, clause=clause)


def _by_internal_upstreams(facts: Facts) -> Decision:
    """Rules 3 and 4: internal upstreams are asked first; one that cannot answer closes the gate."""
    candidates = list(_internal_upstreams(facts.home))
    unasked = tuple(path for path, source in candidates if source.reply is Reply.UNASKED)
    if unasked:
        return Decision(outcome=Outcome.ASK, is_internal=None, clause="rule 3: internal upstreams are asked first", ask=unasked)
    having = next((source.label for _, source in candidates if source.reply is Reply.HAS), "")
    if having:
        return _internal(facts, f"internal: internal upstream {having} has it")
    failed = next((source.label for _, source in candidates if source.reply is Reply.FAILED), "")
    if failed:
        clause = f"rule 4: internal upstream {failed} cannot answer, so nobody else is asked"
        if facts.home.holds_any:
            return Decision(outcome=Outcome.ANSWER, is_internal=None, clause=clause, answering=((),), blocked_by=failed, shows_pulled=True)
        return Decision(outcome=Outcome.UNAVAILABLE, is_internal=None, clause=clause, blocked_by=failed)
    return _public(facts)


def _public(facts: Facts) -> Decision:
    """Rule 5: the first upstream in priority order that has the name answers, beside what is held here."""
    found = _first_public(facts.home, ())
    own: tuple[Path, ...] = ((),) if facts.home.holds_any else ()
    clause = "public: nothing internal is known of the name"
    if found.outcome is Outcome.ASK:
        return Decision(outcome=Outcome.ASK, is_internal=False, clause=clause, ask=found.paths, shows_pulled=True)
    answering = own + found.paths
    if answering:
        return Decision(
            outcome=Outcome.ANSWER,
            is_internal=False,
            clause=clause,
            answering=answering,
            blocked_by=found.blocked_by,
            shows_pulled=True,
        )
    return Decision(outcome=found.outcome, is_internal=False, clause=clause, blocked_by=found.blocked_by, shows_pulled=True)


def _first_public(home: Home, path: Path) -> _Public:
    for source in home.sources:
        if not source.is_usable or _is_internal_upstream(source):
            continue
        here = (*path, source.id)
        found = _chained(source.home, here) if source.home is not None else _external(source, here)
        if found.outcome is not Outcome.ABSENT:
            return found
    return _Public(Outcome.ABSENT)


def _external(source: Source, here: Path) -> _Public:
    """A `url` or `git` upstream: a 404 moves on, trouble stops, no answer yet asks."""
    if source.reply is Reply.HAS:
        return _Public(Outcome.ANSWER, (here,))
    if source.reply is Reply.ABSENT:
        return _Public(Outcome.ABSENT)
    if source.reply is Reply.FAILED:
        return _Public(Outcome.UNAVAILABLE, blocked_by=source.label)
    return _Public(Outcome.ASK, (here,))


def _chained(home: Home, here: Path) -> _Public:
    """A `registry` upstream: what it holds, beside its own first upstream that has the name."""
    behind = _first_public(home, here)
    if not home.holds_any or behind.outcome is Outcome.ASK:
        return behind
    return _Public(Outcome.ANSWER, (here, *behind.paths), behind.blocked_by)


def _walk(home: Home, path: Path = ()) -> Iterator[tuple[Path, Source]]:
    """Every usable source, depth first, nearer before farther within each registry."""
    for source in home.sources:
        if not source.is_usable:
            continue
        here = (*path, source.id)
        yield here, source
        if source.home is not None:
            yield from _walk(source.home, here)


def _is_internal_upstream(source: Source) -> bool:
    return source.kind is not Kind.REGISTRY and source.is_internal


def _internal_upstreams(home: Home) -> Iterator[tuple[Path, Source]]:
    return ((path, source) for path, source in _walk(home) if _is_internal_upstream(source))


def _trace(facts: Facts, decision: Decision) -> Iterator[Step]:
    answers = () in decision.answering
    clause = _holdings(facts.home)
    if facts.home.pulled and not decision.shows_pulled:
        clause += "; the pulled ones that are not internal are shadowed"
    yield Step(path=(), label=facts.home.label, kind="own", allowed=answers, asked=True, clause=clause)
    yield from _trace_sources(facts.home, (), decision)


def _holdings(home: Home) -> str:
    """What a registry holds, counted once: `holds 3 versions: 1 own, 2 pulled; 1 internal`."""
    if not home.holds_any:
        return "holds no version"
    pulled = home.pulled + home.pulled_internal
    number = max(home.own + pulled, home.internal)
    whence = ", ".join(f"{count} {word}" for count, word in ((home.own, "own"), (pulled, "pulled")) if count)
    flags = "all internal" if home.internal == number else f"{home.internal or 'none'} internal"
    return f"holds {number} version{'s' if number != 1 else ''}: {whence}; {flags}"


def _trace_sources(home: Home, path: Path, decision: Decision) -> Iterator[Step]:
    for source in home.sources:
        here = (*path, source.id)
        clause = _clause(source, here, decision)
        yield Step(
            path=here,
            label=source.label,
            kind=source.kind,
            allowed=here in decision.answering or here in decision.ask,
            asked=clause in ASKED,
            clause=clause,
            reply=source.reply,
            detail=source.detail,
        )
        if source.home is not None:
            yield from _trace_sources(source.home, here, decision)


def _clause(source: Source, here: Path, decision: Decision) -> str:
    """Why this source is or is not asked, in words: the first line that is true."""
    is_internal_upstream = _is_internal_upstream(source)
    lines = (
        (not source.is_enabled, "disabled: never asked"),
        (not source.fits, "its patterns do not fit: does not exist for this name"),
        (here in decision.ask, TO_ASK),
        (here in decision.answering, ANSWERS),
        (source.reply is Reply.FAILED, FAILS),
        (source.reply is Reply.ABSENT and (decision.is_internal is not True or is_internal_upstream), LACKS),
        (
            bool(decision.is_internal) and not is_internal_upstream,
            "rule 2: the name is internal, so a source that is not internal is not asked",
        ),
        (decision.is_internal is None and bool(decision.blocked_by), "rule 4: fail closed, not asked"),
        (decision.outcome is Outcome.ANSWER, "rule 5: an earlier source answers"),
    )
    return next((clause for is_true, clause in lines if is_true), UNASKED)
