"""What every address below /api/v1/ shares: who asks, bounded bodies, strict input, pages. No rules live here."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from api import throttle
from api.authentication import client_ip
from api.conditions import conditional, etag_of, names
from api.errors import AddressUnknown
from api.pagination import Pages
from api.parsers import StrictJson
from api.serializers.common import Body, Filter, Query
from packages.errors import BodyTooLarge
from workspaces.access import Actor
from workspaces.errors import Invalid

OK = 200
PAGING = frozenset({"page", "page_size", "ordering"})
CONDITIONAL = ("patch", "put", "delete")
M = TypeVar("M", bound=Model)
R = TypeVar("R")


class AlwaysJson(BaseContentNegotiation):
    """REST speaks JSON whatever `Accept` says; `?format=` is a filter of lists here, not a renderer."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser of the body's media type; None becomes 415."""
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == media_type), None)

    def select_renderer(
        self,
        request: Request,  # noqa: ARG002 - the framework's signature
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - the framework's signature
    ) -> tuple[BaseRenderer, str]:
        """Always the first."""
        only = next(iter(renderers))
        return only, str(only.media_type)


class Door(APIView):
    """Base of every REST view."""

    content_negotiation_class = AlwaysJson
    parser_classes = (StrictJson,)
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    body_limit: int = settings.SMALL_BODY_LIMIT
    is_list = False
    standing: throttle.Standing | None = None

    def __init_subclass__(cls, **words: object) -> None:
        """Writes to a single object may be conditional."""
        super().__init_subclass__(**words)
        for name in CONDITIONAL:
            if name in cls.__dict__ and not cls.is_list:
                setattr(cls, name, conditional(cls.__dict__[name]))

    @property
    def actor(self) -> Actor:
        """Who asks; nobody (with their address) when no credentials came."""
        found = self.request.auth
        return found if isinstance(found, Actor) else Actor(ip=client_ip(self.request))

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Refuse what is too large before reading it, then authenticate: invalid credentials are 401 everywhere."""
        _bound(request, self.body_limit)
        super().initial(request, *args, **kwargs)
        if any("\x00" in str(part) for part in kwargs.values()):
            raise AddressUnknown("There is nothing at this address.")

    def check_throttles(self, request: Request) -> None:  # noqa: ARG002 - the framework's signature
        """Count the request. Raises TooManyRequests."""
        self.standing = throttle.count(self.actor)
        self.standing.check()

    def finalize_response(self, request: Request, response: Response, *args: object, **kwargs: object) -> Response:
        """Answers may hold secrets and differ by caller: nobody stores them."""
        if (
            response.status_code == OK
            and hasattr(response, "data")
            and not self.is_list
            and request.method in {"GET", "HEAD", "PATCH", "PUT"}
        ):
            response = self._with_etag(request, response)
        final: Response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.standing.headers if self.standing else {}).items():
            final.headers[name] = value
        final.headers.setdefault("Cache-Control", "no-store")
        return final

    @staticmethod
    def _with_etag(request: Request, response: Response) -> Response:
        """With its validator; 304 for who has it already."""
        etag = etag_of(response.data)
        if request.method in {"GET", "HEAD"} and names(request.headers.get("If-None-Match", "").replace("W/", ""), etag):
            response = Response(status=304)
        response.headers["ETag"] = etag
        return response

    def read(self, body: type[Body]) -> dict[str, Any]:
        """The body's fields, checked; a PATCH may leave any out. Raises ValidationError (400 naming the field)."""
        checked = body(data=self.request.data, partial=self.request.method == "PATCH")
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def query(self, body: type[Query]) -> dict[str, Any]:
        """The list's filters, checked; a parameter that is not known is 400."""
        asked = {key: value for key, value in self.request.query_params.items() if key not in PAGING}
        checked = body(data=asked)
        checked.is_valid(raise_exception=True)
        return dict(checked.validated_data)

    def ordered(self, rows: QuerySet[M, R]) -> QuerySet[M, R]:
        """In the order that `?ordering=` asks for, else in the list's own. Raises Invalid for one that is not known."""
        asked = self.request.query_params.get("ordering")
        if asked is None:
            return rows
        known: dict[str, str] = getattr(getattr(self, "get", None), "orderings", {})
        fields = []
        for word in asked.split(","):
            name = word.removeprefix("-")
            if name not in known:
                sentence = f"This list is ordered by {', '.join(known) or 'nothing else'}; a minus before it turns it round."
                raise Invalid(sentence, fields={"ordering": sentence})
            fields.append(f"-{known[name]}" if word.startswith("-") else known[name])
        return rows.order_by(*fields, *([] if rows.query.values_select else ["pk"]))

    def page(self, rows: QuerySet[M], shown: type[BaseSerializer[Any]], filters: type[Query] = Query, **context: object) -> Response:
        """One page of `rows`. Raises NotFound past the end, Invalid for parameters not known."""
        asked = self.query(filters)
        if issubclass(filters, Filter):
            rows = rows.filter(**{filters.lookups[name]: value for name, value in asked.items()})
        pages = Pages()
        found = pages.paginate_queryset(self.ordered(rows), self.request, view=self)
        return pages.get_paginated_response(shown(found, many=True, context=context).data)


class ListDoor(Door):
    """A Door whose GET answers a page; the schema reads the class attribute."""

    pagination_class = Pages
    is_list = True


def _bound(request: Request, limit: int) -> None:
    """413 by the declared length, before a byte is read. The entry has counted a body of unknown length already."""
    declared = request.META.get("CONTENT_LENGTH") or ""
    if declared and not (declared.isascii() and declared.isdigit()):
        raise Invalid("Content-Length is not a number.")
    if declared and (len(declared) > 18 or int(declared) > limit):  # noqa: PLR2004 - digits of a 64-bit number
        raise BodyTooLarge(f"A body here may have at most {limit:,} bytes.")
