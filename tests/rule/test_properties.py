"""What holds of the rule for any facts at all (hypothesis draws them)."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from upstreams.resolution import decide
from upstreams.terms import Decision, Facts, Home, Kind, Outcome, Path, Reply, Source

ROUNDS = 64  # more than any drawn tree has sources

numbers = st.integers(0, 2)
words = st.sampled_from(["", "a reason"])
replies = st.sampled_from(list(Reply))


@st.composite
def homes(draw: st.DrawFn, depth: int = 2) -> Home:
    internal, own, pulled = draw(numbers), draw(numbers), draw(numbers)
    return Home(
        label="home",
        own=own,
        internal=internal,
        pulled=pulled,
        family_internal=internal + draw(st.integers(0, 1)) * draw(st.integers(0, 1)),
        tombstone=draw(st.sampled_from(["", "", "", "gone"])),
        sources=tuple(draw(st.lists(sources(depth), max_size=3))),
    )


@st.composite
def sources(draw: st.DrawFn, depth: int) -> Source:
    kind = draw(st.sampled_from([Kind.URL, Kind.URL, Kind.GIT, Kind.REGISTRY] if depth else [Kind.URL, Kind.GIT]))
    return Source(
        id=0,  # numbered when the tree stands
        label="source",
        kind=kind,
        is_enabled=draw(st.sampled_from([True, True, True, False])),
        fits=draw(st.sampled_from([True, True, True, False])),
        is_internal=kind is not Kind.REGISTRY and draw(st.booleans()),
        reply=draw(replies) if kind is not Kind.REGISTRY else Reply.UNASKED,
        home=draw(homes(depth - 1)) if kind is Kind.REGISTRY else None,
    )


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    return Facts(
        name="p",
        home=numbered(draw(homes()), count(1)),
        claim=draw(words),
        tombstone=draw(words),
        held_by=draw(words),
        home_only=draw(st.booleans()),
    )


def numbered(home: Home, numbers: Iterator[int]) -> Home:
    """The same home with ids as the database gives them: each once."""
    found = [
        replace(source, id=next(numbers), home=numbered(source.home, numbers) if source.home is not None else None)
        for source in home.sources
    ]
    return replace(home, sources=tuple(found))


def every(home: Home, path: Path = ()) -> Iterator[tuple[Path, Source, bool]]:
    """All sources with their path, and whether each link to them is usable."""
    for source in home.sources:
        here = (*path, source.id)
        yield here, source, source.is_usable
        if source.home is not None:
            for inner, found, usable in every(source.home, here):
                yield inner, found, usable and source.is_usable


def outside(facts: Facts) -> set[Path]:
    """The sources that are external and not internal."""
    return {path for path, source, _ in every(facts.home) if source.kind is not Kind.REGISTRY and not source.is_internal}


@settings(max_examples=250, deadline=None)
@given(any_facts())
def test_what_is_internal_is_never_asked_for_outside(facts: Facts) -> None:
    decision = decide(facts)
    known_internal = bool(facts.claim or facts.tombstone or facts.held_by or facts.home.family_internal or facts.home.tombstone)
    assert not known_internal or decision.is_internal
    if decision.is_internal or decision.is_internal is None:
        assert not (set(decision.ask) | set(decision.answering)) & outside(facts)


@settings(max_examples=250, deadline=None)
@given(any_facts())
def test_nobody_is_asked_who_is_unusable_or_has_answered(facts: Facts) -> None:
    decision = decide(facts)
    usable = {path: source for path, source, is_usable in every(facts.home) if is_usable}
    assert set(decision.ask) <= set(usable)
    assert all(usable[path].reply is Reply.UNASKED for path in decision.ask)
    assert {path for path in decision.answering if path} <= set(usable)
    assert not (facts.home_only and decision.ask)


@settings(max_examples=250, deadline=None)
@given(any_facts())
def test_an_internal_upstream_in_trouble_closes_the_gate(facts: Facts) -> None:
    decision = decide(facts)
    internal = [source for _, source, usable in every(facts.home) if usable and source.is_internal]
    failed = any(source.reply is Reply.FAILED for source in internal)
    if failed and not any(source.reply is Reply.HAS for source in internal):
        assert not (set(decision.ask) | set(decision.answering)) & outside(facts)
        if decision.outcome is not Outcome.ASK:
            assert decision.outcome is not Outcome.ABSENT or facts.home_only


@settings(max_examples=250, deadline=None)
@given(any_facts())
def test_asking_comes_to_an_end(facts: Facts) -> None:
    decision = decide(facts)
    for _ in range(ROUNDS):
        if decision.outcome is not Outcome.ASK:
            return
        facts = replace(facts, home=told(facts.home, (), decision))
        decision = decide(facts)
    assert decision.outcome is not Outcome.ASK


def told(home: Home, path: Path, decision: Decision) -> Home:
    """The same home after everybody who was asked said no."""
    found = []
    for source in home.sources:
        here = (*path, source.id)
        reply = Reply.ABSENT if here in decision.ask else source.reply
        found.append(replace(source, reply=reply, home=told(source.home, here, decision) if source.home else None))
    return replace(home, sources=tuple(found))
