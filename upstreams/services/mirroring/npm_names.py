"""Which names an npm upstream has: from its own list where it gives one, else from its search, page by page.

A list tells the upstream nothing. A search tells it the text, so it is asked only for what nobody here calls internal.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from packages.formats.npm.names import Name
from upstreams.clients.npm_names import all_names
from upstreams.clients.questions import ask_search
from upstreams.errors import RuleChanged
from upstreams.models import Upstream
from upstreams.selectors.facts import Ground
from upstreams.services.git.answers import list_since, names_from_git
from upstreams.services.mirroring.drivers import Course, PatternsRefused
from upstreams.services.mirroring.globs import meet
from upstreams.services.mirroring.present import Present
from upstreams.services.outgoing import limited, parsed, survey
from upstreams.services.search import SEARCH
from upstreams.services.texts import why_it_stays
from upstreams.targets import target_of
from workspaces.access import matches
from workspaces.room import release_connection

PAGE = 250  # packages in one answer of a search: the most npm's own gives
PAGES, BARREN = 400, 4  # pages at most; and without anything that is sought, until the rest is not looked at
CHUNK = 500  # names judged at once


class Listing:
    """Names at the upstream of a course, which is read anew: what is asked, and of whom, is never by older rules."""

    def __init__(self, course: Course) -> None:
        self._present = Present.of(course.registry, course.upstream)
        self._registry, self._upstream, self._began = course.registry, self._present.upstream, course.began

    def names(self, patterns: Sequence[str]) -> Iterator[str]:
        """Those that meet a pattern and may come from this upstream. Raises PatternsRefused at the end, UpstreamError."""
        listed = self._listed()
        if listed is not None:
            yield from self._admitted(listed, patterns)
            return
        why: dict[str, str] = {}
        for pattern in patterns:
            why[pattern] = self._refusal(pattern)
            if not why[pattern]:
                found = self._search(pattern)
                why[pattern] = "" if found is not None else f"{self._cannot} has no search either; name packages or give a lock file."
                yield from self._admitted(found or (), [pattern])
        if refused := {pattern: sentence for pattern, sentence in why.items() if sentence}:
            raise PatternsRefused("Not every pattern could be listed.", why=refused)

    def renew(self) -> None:
        """See to it that a repository was asked in this job's time. Raises UpstreamError where it does not answer."""
        list_since(self._upstream, self._began, self._still_holds)

    def _listed(self) -> Iterable[str] | None:
        """Every name there is, from an upstream that tells."""
        if self._upstream.kind == Upstream.Kind.GIT:
            return names_from_git(self._upstream, self._began, self._still_holds)
        return all_names(target_of(self._upstream), before_send=self._still_holds)

    @property
    def _cannot(self) -> str:
        return f"Upstream {self._upstream.name}, which does not list its names,"

    def _still_holds(self) -> None:
        """The last look before anything leaves. Raises RuleChanged."""
        self._present.check()
        release_connection()

    def _refusal(self, pattern: str) -> str:
        """Why a pattern must not be searched for, or ''. An internal upstream may know internal names."""
        if self._upstream.is_internal:
            return ""
        ground = Ground.read(self._registry.workspace_id, "npm")
        met = next((word for known, word in ground.internal_patterns() if meet(known, pattern)), "")
        text = literal(pattern)
        why = f"the pattern meets {met}" if met else why_it_stays(self._registry, text) if text else ""
        advice = "name packages, or give a lock file"
        return (
            f"{pattern} is not searched for at upstream {self._upstream.name}, which does not list its names: {why}; {advice}."
            if why
            else ""
        )

    def _search(self, pattern: str) -> Iterator[str] | None:
        """What a search for the pattern's first letters finds; None where there is no search."""
        text = literal(pattern)

        def before_send() -> None:
            if self._refusal(pattern):
                raise RuleChanged("The rules changed just now; try again.", upstream=self._upstream.name, retry_after=1)
            self._still_holds()

        def ask(start: int) -> dict[str, object] | None:
            return ask_search(target, text=text, start=start, size=PAGE, before_send=before_send)

        target = limited(self._upstream, SEARCH)
        first = ask(0)
        return None if first is None else _pages(first, ask, lambda name: matches(pattern, name))

    def _admitted(self, names: Iterable[str], patterns: Sequence[str]) -> Iterator[str]:
        """The names that meet a pattern, are names, lie within what the upstream is asked for, and are not internal elsewhere."""
        fitting = (name.full for one in names if (name := parsed(one)) is not None and self._fits(name, patterns))
        while chunk := list(islice(fitting, CHUNK)):
            if self._upstream.is_internal:
                yield from chunk
                continue
            decisions = survey(self._registry, chunk).decisions
            yield from (name for name in chunk if decisions[name].is_internal is not True)

    def _fits(self, name: Name, patterns: Sequence[str]) -> bool:
        limits = self._upstream.patterns
        return any(matches(one, name.full) for one in patterns) and (not limits or any(matches(one, name.full) for one in limits))


def literal(pattern: str) -> str:
    """The letters a pattern begins with: all that a search is told of it."""
    ends = [place for sign in "*?" if (place := pattern.find(sign)) >= 0]
    return pattern[: min(ends, default=len(pattern))].rstrip("/")


def _pages(first: dict[str, object], ask: Callable[[int], dict[str, object] | None], is_sought: Callable[[str], bool]) -> Iterator[str]:
    """The names of one page after the other, until there are none, or for some pages none that is sought: what fits comes first."""
    answer: dict[str, object] | None = first
    start = barren = 0
    for _ in range(PAGES):
        listed = answer.get("objects") if answer is not None else None
        if not isinstance(listed, list) or not listed:
            return
        names = [one["package"].get("name") for one in listed if isinstance(one, dict) and isinstance(one.get("package"), dict)]
        sought = [name for name in names if isinstance(name, str) and is_sought(name)]
        yield from sought
        barren = 0 if sought else barren + 1
        start += len(listed)
        total = answer.get("total") if answer is not None else None
        if barren >= BARREN or (isinstance(total, int) and start >= total):
            return
        answer = ask(start)
