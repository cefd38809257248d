"""One line of the rule's trace as people read it, whatever the format: REST, the page, the command."""

from upstreams.selectors.facts import Situation
from upstreams.terms import Reply, Step


def traced(situation: Situation, step: Step) -> dict[str, object]:
    """A source of the trace, JSON-ready. What it said earlier is told apart from what it was asked for."""
    said = situation.replies.get(step.path[-1]) if step.path else None
    document = said.document if said is not None else None
    when = document.fetched_at.isoformat(timespec="seconds") if document is not None else None
    known = step.reply.value if step.path else ("has" if step.allowed else "absent")
    return {
        "source": step.label,
        "through": [situation.upstreams[link].name for link in step.path[:-1]],
        "kind": step.kind,
        "asked": step.asked,
        "allowed": step.allowed,
        "clause": step.clause,
        "answer": known if step.asked else Reply.UNASKED.value,
        "detail": step.detail,
        "fetched_at": when if step.asked else None,
        "earlier": {"answer": known, "fetched_at": when} if when and not step.asked else None,
    }
