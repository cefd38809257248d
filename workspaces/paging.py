"""Pages of long lists: which rows first, what is shown of them second."""

from functools import cached_property
from typing import TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def between(rows: QuerySet[M], start: int, end: int) -> list[M]:
    """Rows `start` to `end` in their order. Annotations are computed for these alone, not for those passed over."""
    keys = list(rows.values_list("pk", flat=True)[start:end])
    found = {row.pk: row for row in rows.order_by().filter(pk__in=keys)}
    return [found[key] for key in keys if key in found]


class Pages(Paginator):  # type: ignore[type-arg]  # of any model
    """Django's, with two differences: annotations are computed for one page, and the last page ends where the count said.

    What came in between count and page would otherwise push the last row out.
    """

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """A page of as many rows as there are. Raises InvalidPage."""
        valid = self.validate_number(number)
        bottom = (valid - 1) * self.per_page
        rows = self.object_list
        top = bottom + self.per_page
        is_annotated = isinstance(rows, QuerySet) and rows.query.annotations and not rows.query.values_select
        return Page(between(rows, bottom, top) if is_annotated else rows[bottom:top], valid, self)  # type: ignore[arg-type]


class UpTo(Pages):
    """The same of a list that is dear to count to its end: the first MOST rows, and whether there `are_more`."""

    MOST = 5_000

    @cached_property
    def found(self) -> int:
        """How many there are, at most one more than MOST."""
        rows = self.object_list
        return rows.order_by().values("pk")[: self.MOST + 1].count() if isinstance(rows, QuerySet) else len(rows)

    @cached_property
    def count(self) -> int:
        """How many can be paged through."""
        return min(self.found, self.MOST)

    @property
    def are_more(self) -> bool:
        """The list goes on behind the last page."""
        return self.found > self.MOST
