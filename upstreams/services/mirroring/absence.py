"""Why a name does not come, in sentences that are true: who was asked and has nothing, who was not asked and by which clause.

They do not name it: a job tells the name before the sentence, and the same trouble of many names as one.
"""

from upstreams.models import Upstream
from upstreams.resolution import LACKS
from upstreams.terms import Decision, Kind

OUTSIDE = frozenset({Kind.URL, Kind.GIT})


def why_absent(upstream: Upstream, decision: Decision, thing: str) -> str:
    """Nobody who may be asked has the name. `thing`: the format's word for what bears it."""
    lacking = list(dict.fromkeys(step.label for step in decision.steps if step.clause == LACKS and step.kind in OUTSIDE))
    has_none = _none(lacking, thing)
    if decision.is_internal:
        reason = f"the name is internal ({decision.clause.removeprefix('internal: ')})"
        if upstream.name in lacking:
            return f"{has_none}; {reason}, so nobody else was asked."
        rest = f"; {has_none[0].lower()}{has_none[1:]}" if lacking else ""
        return f"It was not asked for at upstream {upstream.name}, for {reason}{rest}."
    return f"{has_none}." if lacking else _unasked(upstream, decision)


def why_nobody_else(upstream: Upstream, decision: Decision, thing: str) -> str:
    """An internal upstream does not have what was ordered from it; it may be its own all the same."""
    if not any(step.path == (upstream.pk,) and step.clause == LACKS for step in decision.steps):
        return _unasked(upstream, decision)
    return f"{_none([upstream.name], thing)}; nobody else was asked, for the name may be its own all the same."


def why_not_from(upstream: Upstream, decision: Decision) -> str:
    """The rule names another source than the one it was ordered from."""
    return f"It does not come from upstream {upstream.name}: {_clause(upstream, decision)}."


def _unasked(upstream: Upstream, decision: Decision) -> str:
    return f"It was not asked for at upstream {upstream.name}: {_clause(upstream, decision)}."


def _clause(upstream: Upstream, decision: Decision) -> str:
    """The clause of the rule that speaks of the upstream."""
    clause = next((step.clause for step in decision.steps if step.path == (upstream.pk,)), "")
    return clause or decision.clause


def _none(names: list[str], thing: str) -> str:
    """`Upstream npm has no such package`."""
    if len(names) <= 1:
        return f"Upstream {''.join(names)} has no such {thing}"
    return f"Upstreams {', '.join(names[:-1])} and {names[-1]} have no such {thing}"
