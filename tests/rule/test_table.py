"""The rule as a table: facts in, decision out (RULE.md, "Deciding, in this order")."""

import pytest

from upstreams.resolution import Facts, Home, Kind, Outcome, Reply, Source, decide

HAS, ABSENT, FAILED, UNASKED = Reply.HAS, Reply.ABSENT, Reply.FAILED, Reply.UNASKED


def public(id: int = 1, reply: Reply = UNASKED, **more: object) -> Source:
    return Source(id=id, label=f"public{id}", kind=Kind.URL, reply=reply, **more)  # type: ignore[arg-type]


def partner(id: int = 7, reply: Reply = UNASKED, **more: object) -> Source:
    return Source(id=id, label=f"partner{id}", kind=Kind.URL, is_internal=True, reply=reply, **more)  # type: ignore[arg-type]


def git(id: int = 8, reply: Reply = UNASKED, *, internal: bool = False) -> Source:
    return Source(id=id, label=f"git{id}", kind=Kind.GIT, is_internal=internal, reply=reply)


def feed(id: int, *sources: Source, **held: object) -> Source:
    return Source(id=id, label=f"feed{id}", kind=Kind.REGISTRY, home=Home(label=f"ws/feed{id}", sources=sources, **held))  # type: ignore[arg-type]


def facts(*sources: Source, claim: str = "", tombstone: str = "", held_by: str = "", home_only: bool = False, **held: object) -> Facts:
    home = Home(label="ws/main", sources=sources, **held)  # type: ignore[arg-type]
    return Facts(name="p", home=home, claim=claim, tombstone=tombstone, held_by=held_by, home_only=home_only)


OWN_INTERNAL = {"own": 1, "internal": 1, "family_internal": 1}
PULLED_INTERNAL = {"internal": 1, "family_internal": 1}
NOTHING: tuple[tuple[int, ...], ...] = ()

# (what, facts, outcome, is_internal, ask, answering)
TABLE = [
    ("nothing known, no source", facts(), Outcome.ABSENT, False, NOTHING, NOTHING),
    ("public is asked when nothing is internal", facts(public()), Outcome.ASK, False, ((1,),), NOTHING),
    ("public has it", facts(public(reply=HAS)), Outcome.ANSWER, False, NOTHING, ((1,),)),
    ("public has it not", facts(public(reply=ABSENT)), Outcome.ABSENT, False, NOTHING, NOTHING),
    ("a 404 moves on to the next", facts(public(1, ABSENT), public(2)), Outcome.ASK, False, ((2,),), NOTHING),
    ("the first that has it answers alone", facts(public(1, HAS), public(2, HAS)), Outcome.ANSWER, False, NOTHING, ((1,),)),
    ("trouble does not move on", facts(public(1, FAILED), public(2, HAS)), Outcome.UNAVAILABLE, False, NOTHING, NOTHING),
    ("trouble: what is held is served", facts(public(1, FAILED), public(2), pulled=1), Outcome.ANSWER, False, NOTHING, ((),)),
    ("own, not internal, beside the public one", facts(public(reply=HAS), own=1), Outcome.ANSWER, False, NOTHING, ((), (1,))),
    ("a disabled source is never asked", facts(public(is_enabled=False)), Outcome.ABSENT, False, NOTHING, NOTHING),
    ("outside its patterns it does not exist", facts(public(fits=False)), Outcome.ABSENT, False, NOTHING, NOTHING),
    ("a git source asks like a url", facts(git()), Outcome.ASK, False, ((8,),), NOTHING),
    # rule 2: internal by what is known at home
    ("own internal version: nobody is asked", facts(public(), **OWN_INTERNAL), Outcome.ANSWER, True, NOTHING, ((),)),
    ("even one who has it already", facts(public(reply=HAS), **OWN_INTERNAL), Outcome.ANSWER, True, NOTHING, ((),)),
    ("claimed, nothing published", facts(public(), claim="@p/*"), Outcome.ABSENT, True, NOTHING, NOTHING),
    ("claimed, pulled from outside: shadowed", facts(public(), claim="@p/*", pulled=2), Outcome.ABSENT, True, NOTHING, NOTHING),
    ("claimed, own not internal: the team's own stays", facts(public(), claim="@p/*", own=1), Outcome.ANSWER, True, NOTHING, ((),)),
    ("tombstone", facts(public(), tombstone="deleted"), Outcome.ABSENT, True, NOTHING, NOTHING),
    ("another registry of the workspace has it", facts(public(), held_by="ws/other"), Outcome.ABSENT, True, NOTHING, NOTHING),
    ("another spelling is internal", facts(public(), family_internal=1), Outcome.ABSENT, True, NOTHING, NOTHING),
    ("internal: internal upstreams are asked", facts(partner(), public(), claim="@p/*"), Outcome.ASK, True, ((7,),), NOTHING),
    ("internal: merged with the internal upstream", facts(partner(reply=HAS), public(), **OWN_INTERNAL), Outcome.ANSWER, True, NOTHING, ((), (7,))),
    ("internal, its upstream has it not", facts(partner(reply=ABSENT), public(), claim="@p/*"), Outcome.ABSENT, True, NOTHING, NOTHING),
    ("internal, its upstream fails, nothing held", facts(partner(reply=FAILED), public(), claim="@p/*"), Outcome.UNAVAILABLE, True, NOTHING, NOTHING),
    ("internal, its upstream fails, own is served", facts(partner(reply=FAILED), public(), **OWN_INTERNAL), Outcome.ANSWER, True, NOTHING, ((),)),
    ("internal by a pulled internal version", facts(public(), **PULLED_INTERNAL), Outcome.ANSWER, True, NOTHING, ((),)),
    # rules 3 and 4: internal upstreams first
    ("internal upstream first, also behind in order", facts(public(), partner()), Outcome.ASK, None, ((7,),), NOTHING),
    ("all internal upstreams at once", facts(partner(7), git(8, internal=True), public()), Outcome.ASK, None, ((7,), (8,)), NOTHING),
    ("internal upstream has it: public is not asked", facts(partner(reply=HAS), public()), Outcome.ANSWER, True, NOTHING, ((7,),)),
    ("internal upstream has it not: public is asked", facts(partner(reply=ABSENT), public()), Outcome.ASK, False, ((1,),), NOTHING),
    ("internal upstream fails: fail closed", facts(partner(reply=FAILED), public()), Outcome.UNAVAILABLE, None, NOTHING, NOTHING),
    ("one fails though another has it not: fail closed", facts(partner(7, ABSENT), partner(9, FAILED), public()), Outcome.UNAVAILABLE, None, NOTHING, NOTHING),
    ("one fails, another has it: internal", facts(partner(7, FAILED), partner(9, HAS), public()), Outcome.ANSWER, True, NOTHING, ((9,),)),
    ("fail closed, held stays served", facts(partner(reply=FAILED), public(), pulled=1), Outcome.ANSWER, None, NOTHING, ((),)),
    ("a disabled internal upstream closes nothing", facts(partner(reply=FAILED, is_enabled=False), public()), Outcome.ASK, False, ((1,),), NOTHING),
    ("one whose patterns do not fit closes nothing", facts(partner(fits=False), public()), Outcome.ASK, False, ((1,),), NOTHING),
    # registry upstreams
    ("behind a feed, its own internal version counts", facts(feed(3, **OWN_INTERNAL), public()), Outcome.ANSWER, True, NOTHING, ((3,),)),
    ("a feed's internal upstream is asked first", facts(feed(3, partner()), public()), Outcome.ASK, None, ((3, 7),), NOTHING),
    ("a feed's tombstone counts", facts(feed(3, tombstone="gone"), public()), Outcome.ABSENT, True, NOTHING, NOTHING),
    ("a feed's public source, in order", facts(feed(3, public(4)), public(1)), Outcome.ASK, False, ((3, 4),), NOTHING),
    ("a feed answers with what it holds and its source", facts(feed(3, public(4, HAS), pulled=1), public(1)), Outcome.ANSWER, False, NOTHING, ((3,), (3, 4))),
    ("a disabled feed hides its sources", facts(Source(id=3, label="f", kind=Kind.REGISTRY, is_enabled=False, home=Home(label="x", sources=(partner(),))), public()), Outcome.ASK, False, ((1,),), NOTHING),
    # questions around a publish
    ("home alone: nobody is asked", facts(partner(), public(), home_only=True), Outcome.ABSENT, None, NOTHING, NOTHING),
    ("home alone: what is held", facts(public(), home_only=True, own=1), Outcome.ANSWER, None, NOTHING, ((),)),
    ("home alone, internal: nobody is asked", facts(partner(), public(), home_only=True, claim="@p/*"), Outcome.ABSENT, True, NOTHING, NOTHING),
]  # fmt: skip


@pytest.mark.parametrize(("known", "outcome", "is_internal", "ask", "answering"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_rule(known: Facts, outcome: Outcome, is_internal: bool | None, ask: object, answering: object) -> None:
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
