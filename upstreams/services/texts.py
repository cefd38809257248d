"""Whether the text of a search may leave for public upstreams: strictly not, when anything internal may be meant by it.

A text stays here when
- an internal upstream takes any name (no patterns, or one of signs alone as `@*/*`): what it holds is not known here,
  so any word may be of a name of its;
- it has more than ten words, for then it is no search but something pasted;
- one of its words meets a claim or an internal upstream's pattern: fits it, or is a part of its letters, or holds them;
- one of its words is a part of an internal name of the workspace (published, pulled from an internal source, or under
  a tombstone), or the text holds such a name of four letters or more;
- one of its words, taken as a name, is one that the rule does not call public.
So a workspace with the internal package `@acme/react-tools` asks nobody about “react”: the price of never telling.
"""

import re

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Length, StrIndex

from packages.formats.npm.search import fold, words_of
from packages.models import Package, Tombstone, Version
from registries.models import Registry
from upstreams.models import Upstream
from upstreams.selectors.facts import Ground
from upstreams.services.outgoing import parsed, survey
from workspaces.access import matches

WORDS = 10
HOLDS = 4  # letters from which on a name or a pattern inside another word counts
WILD = re.compile(r"[*?]")


def why_it_stays(registry: Registry, text: str) -> str:
    """Why `text` is not sent to public upstreams, for the one who asked; '' when it may be."""
    folded = fold(text).strip()
    words = set(words_of(folded))
    ground = Ground.read(registry.workspace_id, "npm")
    if any(_takes_any_name(row) for row in ground.by_id.values()):
        return "an internal upstream takes any name, so no search text leaves"
    if not words or len(words) > WORDS:
        return f"a text of no word or of more than {WORDS} is not sent"
    if any(_meets(pattern, folded, words) for pattern, _ in ground.internal_patterns()):
        return "the text meets a claim or the pattern of an internal upstream"
    if _meets_internal_name(registry, folded, words):
        return "the text meets the name of an internal package"
    names = sorted(name.full for piece in {folded, *folded.split(), *words} if (name := parsed(piece)) is not None)
    if any(decision.is_internal is not False for decision in survey(registry, names).decisions.values()):
        return "a word of the text may be an internal name"
    return ""


def _takes_any_name(row: Upstream) -> bool:
    return row.kind != Upstream.Kind.REGISTRY and row.is_internal and row.is_enabled and (not row.patterns or "*" in row.patterns)


def _meets(pattern: str, text: str, words: set[str]) -> bool:
    """Whether the text has to do with the names of a pattern."""
    if any(matches(pattern, piece) for piece in {text, *text.split(), *words}):
        return True
    letters = [fold(part).strip("@/-._~") for part in WILD.split(pattern)]
    if not any(letters):  # every scope: which words they are made of is not known here
        return True
    return any(word in part for word in words for part in letters) or any(len(part) >= HOLDS and part in text for part in letters)


def _meets_internal_name(registry: Registry, text: str, words: set[str]) -> bool:
    internal = Exists(Version.objects.filter(package=OuterRef("pk"), is_internal=True))
    packages = Package.objects.filter(registry__workspace_id=registry.workspace_id, format="npm")
    tombstones = Tombstone.objects.filter(workspace_id=registry.workspace_id, format="npm")
    return _meeting(packages, "folded", text, words).filter(internal).exists() or _meeting(tombstones, "name", text, words).exists()


def _meeting(
    rows: QuerySet[Package] | QuerySet[Tombstone], column: str, text: str, words: set[str]
) -> "QuerySet[Package] | QuerySet[Tombstone]":
    """The rows whose name holds one of the words, or is held by the text."""
    held = Q()
    for word in words:
        held |= Q(**{f"{column}__contains": word})
    placed = rows.annotate(length=Length(column), place=StrIndex(Value(text), F(column)))
    return placed.filter(held | Q(place__gt=0, length__gte=HOLDS))
