"""What a workspace's own page shows: its registries a page at a time, how much it holds, what happened last."""

from dataclasses import dataclass

from django.core.paginator import Page
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.http import urlencode

from packages.models import Package
from packages.usage import Held, held_in
from registries.models import Registry
from registries.selectors import registries_of
from upstreams.models import Upstream
from upstreams.selectors.events import QUIET, Stretch, events_of
from web.addresses import client_url
from web.doors import asked
from web.events import Line, lines
from workspaces.access import Action, Actor
from workspaces.models import Membership, Workspace
from workspaces.paging import Pages
from workspaces.selectors import ALERT

PAGE, RECENT = 20, 6


@dataclass(frozen=True)
class Row:
    """A registry, and its address for clients."""

    registry: Registry
    url: str


@dataclass(frozen=True)
class Overview:
    """All of it."""

    page: Page[Registry]
    rows: list[Row]
    search: str
    query: str
    held: Held
    people: int
    recent: list[Line]


def overview(request: HttpRequest, actor: Actor, space: Workspace) -> Overview:
    """A dozen statements, whatever there is."""
    search = asked(request, "q")[:40]
    found = registries_of(actor, space).order_by("slug")
    if search:
        found = found.filter(slug__contains=search.lower())
    packages = Package.objects.filter(registry=OuterRef("pk")).order_by().values("registry").annotate(n=Count("pk")).values("n")
    upstreams = Upstream.objects.filter(registry=OuterRef("pk")).order_by().values("registry").annotate(n=Count("pk")).values("n")
    counted = found.annotate(package_count=Coalesce(Subquery(packages), 0), upstream_count=Coalesce(Subquery(upstreams), 0))
    page = Pages(counted, PAGE).get_page(request.GET.get("page"))
    rows = [Row(one, client_url(one)) for one in page]
    query = urlencode({"q": search}) + "&" if search else ""
    return Overview(page, rows, search, query, held_in(space), _people(space), _recent(actor, space))


def _people(space: Workspace) -> int:
    return Membership.objects.filter(workspace=space, is_active=True).count()


def _recent(actor: Actor, space: Workspace) -> list[Line]:
    """The last of the log, for those who may read it; alerts stand above."""
    if not actor.may_in(space.pk, Action.MANAGE):
        return []
    return lines(space, events_of(space, kind=QUIET, stretch=Stretch()).exclude(action__startswith=ALERT)[:RECENT])
