"""Lists in pages: `{"count", "next", "previous", "results"}`, links on the host that was asked."""

from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from workspaces.errors import Invalid
from workspaces.paging import Pages as Paginated


class Pages(PageNumberPagination):
    """`?page=` (404 past the end) and `?page_size=` (1 to 200; 400 when it is no number)."""

    django_paginator_class = Paginated
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
