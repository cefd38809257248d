"""A job in words: its numbers, what failed and why, what was left out. For REST, pages and the command alike."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Min, Sum

from upstreams.models import Mirror, MirrorItem
from upstreams.services.mirroring.drivers import Wanted
from upstreams.services.mirroring.hold import OPEN

SENTENCES = 50  # kinds of trouble told
NAMED = 3  # items named for each in a sentence
SHOWN = 20  # items named for each where there is more room
WORDS = ("dependencies", "versions", "full", "strict")
State = MirrorItem.State


@dataclass(frozen=True)
class Kind:
    """What befell some items for one reason: how many, and the first of them."""

    trouble: str
    number: int
    names: Sequence[str]

    @property
    def further(self) -> int:
        """How many are not named."""
        return self.number - len(self.names)

    def sentence(self) -> str:
        """In one line: `a, b, c and 97 more: Upstream npm has no such package.`."""
        names = self.names[:NAMED]
        more = f" and {self.number - len(names):,} more" if self.number > len(names) else ""
        return f"{', '.join(names)}{more}: {self.trouble}" if names else self.trouble


def describe_mirror(mirror: Mirror, *, sentences: int = SENTENCES) -> dict[str, object]:
    """A job in the words of REST (CONTRACT.md section 4)."""
    return {
        "id": mirror.pk,
        "upstream": mirror.upstream.name,
        "patterns": mirror.patterns,
        "listed": mirror.listed,
        **{word: mirror.options.get(word, "" if word == "versions" else False) for word in WORDS},
        "state": mirror.state,
        "cancelling": mirror.cancel_asked and mirror.state in OPEN,
        "total": mirror.total,
        "done": mirror.done,
        "failed": mirror.failed,
        "left_out": mirror.left_out,
        "names": mirror.names,
        "errors": errors_of(mirror, sentences),
        "left_out_why": [kind.sentence() for kind in left_out_of(mirror, sentences)],
        "asked_by": mirror.asked_by,
        "created_at": mirror.created_at,
        "started_at": mirror.started_at,
        "ended_at": mirror.ended_at,
    }


def errors_of(mirror: Mirror, sentences: int = SENTENCES) -> list[str]:
    """What failed and why, a sentence for each reason, those of most items first; before them why the job itself failed."""
    return [*([mirror.trouble] if mirror.trouble else []), *(kind.sentence() for kind in failures_of(mirror, sentences))]


def failures_of(mirror: Mirror, limit: int = SENTENCES) -> list[Kind]:
    """What failed, by reason, those of most items first; the last one sums up what there is no room for."""
    return _kinds(mirror, State.FAILED, limit) if mirror.failed else []


def left_out_of(mirror: Mirror, limit: int = SENTENCES) -> list[Kind]:
    """What is optional and nobody has, by reason."""
    return _kinds(mirror, State.LEFT_OUT, limit) if mirror.left_out else []


def _kinds(mirror: Mirror, state: State, limit: int) -> list[Kind]:
    items = MirrorItem.objects.filter(mirror=mirror, state=state)
    kinds = items.values("trouble").annotate(number=Count("pk"), first=Min("name")).order_by("-number", "first")
    rows = list(kinds[: limit + 1])
    named = _named(mirror, state, [str(row["trouble"]) for row in rows[:limit]])
    told = [Kind(row["trouble"], row["number"], named[row["trouble"]]) for row in rows[:limit]]
    if len(rows) > limit:
        further = kinds.count() - limit
        number = (kinds.aggregate(all=Sum("number"))["all"] or 0) - sum(kind.number for kind in told)
        told.append(Kind(f"{number:,} more, for {further:,} further reasons.", number, ()))
    return told


def _named(mirror: Mirror, state: State, troubles: list[str]) -> dict[str, list[str]]:
    """The first few items of each kind of trouble."""
    found: dict[str, list[str]] = defaultdict(list)
    for trouble in troubles:
        rows = MirrorItem.objects.filter(mirror=mirror, state=state, trouble=trouble).order_by("name", "version")[:SHOWN]
        found[trouble] = [str(Wanted(name, version)) for name, version in rows.values_list("name", "version")]
    return found
