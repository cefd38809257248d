"""One step of a job: the question or the file of an item, put to the format's driver."""

import threading
from collections.abc import Sequence
from dataclasses import replace

from upstreams.services.mirroring.drivers import BEST, PATTERN, SPARED, WITHIN, Course, Driver, PatternsRefused, Wanted
from upstreams.services.mirroring.ledger import Item, Outcome
from workspaces.access import matches
from workspaces.errors import NotFound


class Steps:
    """Takes the steps of one job, in any thread. `over`: nobody waits for them any more."""

    def __init__(self, course: Course, driver: Driver) -> None:
        self.course, self._driver = course, driver
        self.over = threading.Event()

    def take(self, batch: Sequence[Item]) -> list[Outcome]:
        """What came of one item, or of several patterns. Raises what the driver raises."""
        item, wanted = batch[0], batch[0].wanted
        if wanted.version == PATTERN:
            return self._list(batch)
        if not wanted.is_file:
            return [self._looked_up(item)]
        needed = self._driver.fetch(self.course, wanted)
        return [Outcome(item, needed if self.course.options.dependencies else ())]

    def _looked_up(self, item: Item) -> Outcome:
        """The versions of a name. What is optional and nowhere is left out, as an install leaves it."""
        wanted = item.wanted
        try:
            return Outcome(item, self._driver.versions(self._narrowed(wanted.version), wanted.name))
        except NotFound as error:
            if not wanted.is_optional:
                raise
            return Outcome(item, trouble=error.message, is_left_out=True)

    def _narrowed(self, version: str) -> Course:
        """The course for a question about a name: the range it carries counts instead of the job's own.

        Where it asks for the best version, something depends on it, and it may come from anywhere.
        """
        if not version:
            return self.course
        mark = next(mark for mark in (BEST, SPARED, WITHIN) if version.startswith(mark))
        is_best, words = mark != WITHIN, version.removeprefix(mark)
        options = replace(self.course.options, versions=words, newest=is_best)
        return replace(self.course, options=replace(options, anywhere=options.anywhere or is_best))

    def _list(self, batch: Sequence[Item]) -> list[Outcome]:
        """The names of all patterns at once; nothing when the job ended meanwhile, for then they are not all."""
        names, why = set[str](), dict[str, str]()
        try:
            for name in self._driver.names(self.course, [item.wanted.name for item in batch]):
                if self.over.is_set():
                    return []
                names.add(name)
        except PatternsRefused as error:
            why = dict(error.why)
        left, outcomes = names, []
        for item in batch:
            pattern = item.wanted.name
            met = {name for name in names if matches(pattern, name)}
            trouble = why.get(pattern) or ("" if met else self._unmet(pattern))
            more = () if trouble else tuple(Wanted(name) for name in sorted(met & left))
            left = left - {wanted.name for wanted in more}
            outcomes.append(Outcome(item, more, trouble))
        return outcomes

    def _unmet(self, pattern: str) -> str:
        return f"No package at upstream {self.course.upstream.name} meets the pattern {pattern}."
