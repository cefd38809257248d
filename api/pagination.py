"""Lists in pages: `{"count", "next", "previous", "results"}`, links on the host that was asked."""

from django.core.paginator import Page, Paginator
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from workspaces.errors import Invalid


class Whole(Paginator):  # type: ignore[type-arg]  # of any model
    """Django's, whose last page ends where the count before it said: what came in between would push the last row out."""

    def page(self, number: int | str) -> Page:  # type: ignore[type-arg]
        """A page of as many rows as there are. Raises InvalidPage."""
        valid = self.validate_number(number)
        bottom = (valid - 1) * self.per_page
        return Page(self.object_list[bottom : bottom + self.per_page], valid, self)


class Pages(PageNumberPagination):
    """`?page=` (404 past the end) and `?page_size=` (1 to 200; 400 when it is no number)."""

    django_paginator_class = Whole
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        """How many a page holds; more than the most is the most. Raises Invalid."""
        asked = request.query_params.get("page_size")
        if asked is None:
            return self.page_size
        if not (asked.isascii() and asked.isdigit()) or not int(asked[:9]):
            raise Invalid("page_size is a whole number from 1 to 200.", fields={"page_size": "not a number from 1 to 200"})
        return min(int(asked[:9]), self.max_page_size)
