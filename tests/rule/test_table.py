"""The rule as a table: facts in, decision out (RULE.md, "Deciding, in this order")."""

from typing import Any

import pytest

from upstreams.resolution import decide
from upstreams.terms import Facts, Home, Kind, Outcome, Reply, Source

HAS, ABSENT, FAILED, UNASKED = Reply.HAS, Reply.ABSENT, Reply.FAILED, Reply.UNASKED


def public(key: int = 1, reply: Reply = UNASKED, **more: object) -> Source:
    return Source(id=key, label=f"public{key}", kind=Kind.URL, reply=reply, **more)  # type: ignore[arg-type]


def partner(key: int = 7, reply: Reply = UNASKED, **more: object) -> Source:
    return Source(id=key, label=f"partner{key}", kind=Kind.URL, is_internal=True, reply=reply, **more)  # type: ignore[arg-type]


def git(key: int = 8, reply: Reply = UNASKED, *, internal: bool = False) -> Source:
    return Source(id=key, label=f"git{key}", kind=Kind.GIT, is_internal=internal, reply=reply)


def feed(key: int, *sources: Source, **held: object) -> Source:
    return Source(id=key, label=f"feed{key}", kind=Kind.REGISTRY, home=Home(label=f"ws/feed{key}", sources=sources, **held))  # type: ignore[arg-type]


def facts(*sources: Source, claim: str = "", tombstone: str = "", held_by: str = "", home_only: bool = False, **held: object) -> Facts:
    home = Home(label="ws/main", sources=sources, **held)  # type: ignore[arg-type]
    return Facts(name="p", home=home, claim=claim, tombstone=tombstone, held_by=held_by, home_only=home_only)


OWN_INTERNAL: dict[str, Any] = {"own": 1, "internal": 1, "family_internal": 1}
PULLED_INTERNAL: dict[str, Any] = {"internal": 1, "family_internal": 1}
NO: tuple[tuple[int, ...], ...] = ()
ASK, ANSWER, NONE, DOWN = Outcome.ASK, Outcome.ANSWER, Outcome.ABSENT, Outcome.UNAVAILABLE
DISABLED_FEED = Source(id=3, label="f", kind=Kind.REGISTRY, is_enabled=False, home=Home(label="x", sources=(partner(),)))

# Columns: what, the facts, the outcome, internal or not, whom to ask, who answers.
TABLE = [
    ("nothing known, no source", facts(), NONE, False, NO, NO),
    ("public is asked when nothing is internal", facts(public()), ASK, False, ((1,),), NO),
    ("public has it", facts(public(reply=HAS)), ANSWER, False, NO, ((1,),)),
    ("public has it not", facts(public(reply=ABSENT)), NONE, False, NO, NO),
    ("a 404 moves on to the next", facts(public(1, ABSENT), public(2)), ASK, False, ((2,),), NO),
    ("the first that has it answers alone", facts(public(1, HAS), public(2, HAS)), ANSWER, False, NO, ((1,),)),
    ("trouble does not move on", facts(public(1, FAILED), public(2, HAS)), DOWN, False, NO, NO),
    ("trouble: what is held is served", facts(public(1, FAILED), public(2), pulled=1), ANSWER, False, NO, ((),)),
    ("own, not internal, beside the public one", facts(public(reply=HAS), own=1), ANSWER, False, NO, ((), (1,))),
    ("a disabled source is never asked", facts(public(is_enabled=False)), NONE, False, NO, NO),
    ("outside its patterns it does not exist", facts(public(fits=False)), NONE, False, NO, NO),
    ("a git source asks like a url", facts(git()), ASK, False, ((8,),), NO),
    # rule 2: internal by what is known at home
    ("own internal version: nobody is asked", facts(public(), **OWN_INTERNAL), ANSWER, True, NO, ((),)),
    ("even one who has it already", facts(public(reply=HAS), **OWN_INTERNAL), ANSWER, True, NO, ((),)),
    ("claimed, nothing published", facts(public(), claim="@p/*"), NONE, True, NO, NO),
    ("claimed, pulled from outside: shadowed", facts(public(), claim="@p/*", pulled=2), NONE, True, NO, NO),
    ("claimed, own not internal: the team's own stays", facts(public(), claim="@p/*", own=1), ANSWER, True, NO, ((),)),
    ("tombstone", facts(public(), tombstone="deleted"), NONE, True, NO, NO),
    ("another registry of the workspace has it", facts(public(), held_by="ws/other"), NONE, True, NO, NO),
    ("another spelling is internal", facts(public(), family_internal=1), NONE, True, NO, NO),
    ("internal: internal upstreams are asked", facts(partner(), public(), claim="@p/*"), ASK, True, ((7,),), NO),
    ("internal: merged with the internal upstream", facts(partner(reply=HAS), public(), **OWN_INTERNAL), ANSWER, True, NO, ((), (7,))),
    ("internal, its upstream has it not", facts(partner(reply=ABSENT), public(), claim="@p/*"), NONE, True, NO, NO),
    ("internal, its upstream fails, nothing held", facts(partner(reply=FAILED), public(), claim="@p/*"), DOWN, True, NO, NO),
    ("internal, its upstream fails, own is served", facts(partner(reply=FAILED), public(), **OWN_INTERNAL), ANSWER, True, NO, ((),)),
    ("internal by a pulled internal version", facts(public(), **PULLED_INTERNAL), ANSWER, True, NO, ((),)),
    # rules 3 and 4: internal upstreams first
    ("internal upstream first, also behind in order", facts(public(), partner()), ASK, None, ((7,),), NO),
    ("all internal upstreams at once", facts(partner(7), git(8, internal=True), public()), ASK, None, ((7,), (8,)), NO),
    ("internal upstream has it: public is not asked", facts(partner(reply=HAS), public()), ANSWER, True, NO, ((7,),)),
    ("internal upstream has it not: public is asked", facts(partner(reply=ABSENT), public()), ASK, False, ((1,),), NO),
    ("internal upstream fails: fail closed", facts(partner(reply=FAILED), public()), DOWN, None, NO, NO),
    ("one fails though another has it not: fail closed", facts(partner(7, ABSENT), partner(9, FAILED), public()), DOWN, None, NO, NO),
    ("one fails, another has it: internal", facts(partner(7, FAILED), partner(9, HAS), public()), ANSWER, True, NO, ((9,),)),
    ("fail closed, held stays served", facts(partner(reply=FAILED), public(), pulled=1), ANSWER, None, NO, ((),)),
    ("a disabled internal upstream closes nothing", facts(partner(reply=FAILED, is_enabled=False), public()), ASK, False, ((1,),), NO),
    ("one whose patterns do not fit closes nothing", facts(partner(fits=False), public()), ASK, False, ((1,),), NO),
    # registry upstreams
    ("behind a feed, its own internal version counts", facts(feed(3, **OWN_INTERNAL), public()), ANSWER, True, NO, ((3,),)),
    ("a feed's internal upstream is asked first", facts(feed(3, partner()), public()), ASK, None, ((3, 7),), NO),
    ("a feed's tombstone counts", facts(feed(3, tombstone="gone"), public()), NONE, True, NO, NO),
    ("a feed's public source, in order", facts(feed(3, public(4)), public(1)), ASK, False, ((3, 4),), NO),
    ("a feed answers with what it holds, too", facts(feed(3, public(4, HAS), pulled=1), public(1)), ANSWER, False, NO, ((3,), (3, 4))),
    ("a disabled feed hides its sources", facts(DISABLED_FEED, public()), ASK, False, ((1,),), NO),
    # questions around a publish
    ("home alone: nobody is asked", facts(partner(), public(), home_only=True), NONE, None, NO, NO),
    ("home alone: what is held", facts(public(), home_only=True, own=1), ANSWER, None, NO, ((),)),
    ("home alone, internal: nobody is asked", facts(partner(), public(), home_only=True, claim="@p/*"), NONE, True, NO, NO),
]  # fmt: skip


@pytest.mark.parametrize(("known", "outcome", "is_internal", "ask", "answering"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_rule(known: Facts, outcome: Outcome, is_internal: object, ask: object, answering: object) -> None:
    decision = decide(known)
    assert (decision.outcome, decision.is_internal, decision.ask, decision.answering) == (outcome, is_internal, ask, answering)


@pytest.mark.parametrize("known", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_trace_names_every_source_and_asks_none_it_may_not(known: Facts) -> None:
    decision = decide(known)
    assert decision.steps[0].label == "ws/main"
    assert len(decision.steps) == 1 + sum(1 for _ in _all(known.home))
    assert all(step.clause for step in decision.steps)
    if decision.is_internal:
        allowed = {step.path for step in decision.steps if step.allowed}
        outside = {path for path, source in _all(known.home) if source.kind is not Kind.REGISTRY and not source.is_internal}
        assert not allowed & outside


def test_shadowed_versions_show_only_while_the_name_is_public() -> None:
    assert decide(facts(public(reply=HAS), pulled=1)).shows_pulled
    assert not decide(facts(public(reply=HAS), claim="@p/*", own=1, pulled=1)).shows_pulled


def test_the_blocking_upstream_is_named() -> None:
    assert decide(facts(partner(reply=FAILED), public())).blocked_by == "partner7"
    assert decide(facts(public(reply=FAILED))).blocked_by == "public1"


def _all(home: Home, path: tuple[int, ...] = ()) -> list[tuple[tuple[int, ...], Source]]:
    found = []
    for source in home.sources:
        found.append(((*path, source.id), source))
        if source.home is not None:
            found += _all(source.home, (*path, source.id))
    return found
