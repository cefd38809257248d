"""One line of the rule's trace as people read it, whatever the format: REST, the page, the command."""

from django.utils import timezone

from upstreams.models import UpstreamDocument
from upstreams.resolution import TO_ASK
from upstreams.selectors.facts import Situation
from upstreams.services.last_trouble import last_trouble
from upstreams.terms import Kind, Reply, Step

ASK_AGAIN = "to be asked again"


def traced(situation: Situation, step: Step) -> dict[str, object]:
    """A source of the trace, JSON-ready. What it said earlier is told apart from what it was asked for.

    `last_trouble`: that its last question failed, and until when it is not asked again (None: at the next question it is).
    """
    said = situation.replies.get(step.path[-1]) if step.path else None
    document = said.document if said is not None else None
    when = document.fetched_at.isoformat(timespec="seconds") if document is not None else None
    trouble = _trouble(situation, step, document)
    known = step.reply.value if step.path else ("has" if step.allowed else "absent")
    return {
        "source": step.label,
        "through": [situation.upstreams[link].name for link in step.path[:-1]],
        "kind": step.kind,
        "asked": step.asked,
        "allowed": step.allowed,
        "clause": ASK_AGAIN if trouble and step.clause == TO_ASK else step.clause,
        "answer": known if step.asked else Reply.UNASKED.value,
        "detail": step.detail,
        "fetched_at": when if step.asked else None,
        "earlier": {"answer": known, "fetched_at": when} if when and not step.asked else None,
        "last_trouble": trouble,
    }


def _trouble(situation: Situation, step: Step, document: UpstreamDocument | None) -> dict[str, object] | None:
    if not step.path or step.kind == Kind.REGISTRY or not (step.allowed or step.asked):
        return None
    met = last_trouble(situation.upstreams[step.path[-1]], situation.facts.name, document)
    if met is None:
        return None
    rests = document is not None and document.fresh_until > timezone.now()
    return {
        "sentence": met.sentence,
        "code": met.code,
        "at": met.at.isoformat(timespec="seconds"),
        "asked_again_at": document.fresh_until.isoformat(timespec="seconds") if document is not None and rests else None,
    }
