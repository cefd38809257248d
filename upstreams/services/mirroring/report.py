"""A job in words: its numbers, what failed and why. For REST, pages and the command alike."""

from collections import defaultdict

from django.db.models import Count, Min

from upstreams.models import Mirror, MirrorItem
from upstreams.services.mirroring.drivers import Wanted
from upstreams.services.mirroring.hold import OPEN

SENTENCES = 50  # kinds of trouble told
NAMED = 3  # items named for each
WORDS = ("dependencies", "versions", "full", "strict")


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
        "names": mirror.names,
        "errors": errors_of(mirror, sentences),
        "asked_by": mirror.asked_by,
        "created_at": mirror.created_at,
        "started_at": mirror.started_at,
        "ended_at": mirror.ended_at,
    }


def errors_of(mirror: Mirror, sentences: int = SENTENCES) -> list[str]:
    """What failed and why, a sentence for each kind of trouble, those of most items first."""
    told = [mirror.trouble] if mirror.trouble else []
    if not mirror.failed:
        return told
    failed = MirrorItem.objects.filter(mirror=mirror, state=MirrorItem.State.FAILED)
    kinds = failed.values("trouble").annotate(number=Count("pk"), first=Min("pk")).order_by("-number", "first")
    rows = list(kinds[: sentences + 1])
    named = _named(mirror, [str(row["trouble"]) for row in rows[:sentences]])
    for row in rows[:sentences]:
        names, number = named[row["trouble"]], row["number"]
        more = f" and {number - len(names):,} more" if number > len(names) else ""
        told.append(f"{', '.join(names)}{more}: {row['trouble']}")
    if len(rows) > sentences:
        told.append("There is trouble of further kinds.")
    return told


def _named(mirror: Mirror, troubles: list[str]) -> dict[str, list[str]]:
    """The first few items of each kind of trouble."""
    found: dict[str, list[str]] = defaultdict(list)
    for trouble in troubles:
        rows = MirrorItem.objects.filter(mirror=mirror, state=MirrorItem.State.FAILED, trouble=trouble).order_by("pk")[:NAMED]
        found[trouble] = [str(Wanted(name, version)) for name, version in rows.values_list("name", "version")]
    return found
