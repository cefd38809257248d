"""The activity of a workspace: its audit log, for admins, as a page and as a file."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode

import orjson
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from upstreams.selectors import events
from upstreams.selectors.events import KINDS, QUIET, Stretch, events_of, pulled_events, stretch_of
from web.doors import asked, door
from web.events import lines
from web.views.workspace import frame
from workspaces.access import Action, Actor
from workspaces.errors import Invalid
from workspaces.models import Event, Workspace
from workspaces.selectors import workspace_for

PAGE = 50
ALL = "all"
DIGITS = 19  # of a number that certainly fits 64 bits
MOST = 100_000  # events of one file; the log goes on with `before`
COLUMNS = ("id", "at", "actor", "token", "ip", "action", "object", "old", "new")


@dataclass(frozen=True)
class Asked:
    """What the query asks for. Days are whole, in UTC."""

    kind: str
    who: str
    about: str
    ip: str
    since: date | None
    until: date | None

    @property
    def words(self) -> list[tuple[str, str]]:
        """As a query again."""
        days = [("since", str(self.since or "")), ("until", str(self.until or ""))]
        found = [("kind", self.kind), ("who", self.who), ("q", self.about), ("ip", self.ip), *days]
        return [(word, value) for word, value in found if value]

    @property
    def is_filtered(self) -> bool:
        """More than the page shows by itself."""
        return self.words != [("kind", QUIET)]

    def of(self, space: Workspace, stretch: Stretch) -> QuerySet[Event]:
        """The events."""
        since = datetime(self.since.year, self.since.month, self.since.day, tzinfo=UTC) if self.since else None
        last = self.until + timedelta(days=1) if self.until else None
        until = datetime(last.year, last.month, last.day, tzinfo=UTC) if last else None
        kind = "" if self.kind == ALL else self.kind
        return events_of(space, kind=kind, actor=self.who, object=self.about, ip=self.ip, since=since, until=until, stretch=stretch)


@door("GET")
def activity(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The newest first, of the kind that is asked for; without one, all but the versions that installs and mirrors brought in."""
    space = workspace_for(actor, ws, Action.MANAGE)
    labels, wanted = _labels(), _asked(request)
    stretch = stretch_of(space, _before(request))
    page = Paginator(wanted.of(space, stretch), PAGE).get_page(request.GET.get("page"))
    context = {
        **frame(actor, space, "activity"),
        "page": page,
        "lines": lines(space, page),
        "kinds": [(word, label, word == wanted.kind) for word, label in labels.items()],
        "wanted": wanted,
        "is_filtered": wanted.is_filtered,
        "left_out": 0 if wanted.is_filtered else pulled_events(space, stretch),
        "stretch": stretch,
        "looked_at": f"{events.STRETCH:,}",
        "newest": urlencode(wanted.words),
        "query": urlencode([*wanted.words, *([("before", stretch.before)] if stretch.before else [])]) + "&",
    }
    return render(request, "workspace/activity.html", context)


@door("GET")
def export(request: HttpRequest, actor: Actor, ws: str) -> HttpResponse:
    """The same events as a file, `as` csv or json: the newest MOST of those that are asked for."""
    space = workspace_for(actor, ws, Action.MANAGE)
    form = asked(request, "as") or "csv"
    if form not in {"csv", "json"}:
        raise Invalid(_("The log is written as csv or json."), fields={"as": "unknown"})
    rows = _asked(request).of(space, Stretch(_before(request)))[:MOST].iterator(chunk_size=2000)
    body = _as_csv(rows) if form == "csv" else _as_json(rows)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    answer = StreamingHttpResponse(body, content_type=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{space.slug}-activity.{form}"'
    return answer  # type: ignore[return-value]  # a response of Django's all the same


class Line:
    """What csv writes into: it gives back what it is given."""

    def write(self, text: str) -> str:
        """The line."""
        return text


def _as_csv(rows: Iterator[Event]) -> Iterator[str]:
    writer = csv.writer(Line())
    yield writer.writerow(COLUMNS)
    for event in rows:
        yield writer.writerow([_cell(value) for value in _row(event)])


def _cell(value: object) -> str:
    """A value that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    text = value if isinstance(value, str) else "" if value is None else orjson.dumps(value).decode()
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def _as_json(rows: Iterator[Event]) -> Iterator[bytes]:
    yield b"["
    for number, event in enumerate(rows):
        yield (b",\n" if number else b"\n") + orjson.dumps(dict(zip(COLUMNS, _row(event), strict=True)))
    yield b"\n]\n"


def _row(event: Event) -> tuple[object, ...]:
    at = event.at.isoformat(timespec="milliseconds")
    return (event.pk, at, event.actor, event.token_name, event.ip, event.action, event.object, event.old, event.new)


def _asked(request: HttpRequest) -> Asked:
    kind = asked(request, "kind") if asked(request, "kind") in _labels() else QUIET
    who, about, ip = asked(request, "who")[:128], asked(request, "q")[:400], asked(request, "ip")[:45]
    return Asked(kind, who, about, ip, _day(asked(request, "since")), _day(asked(request, "until")))


def _day(text: str) -> date | None:
    """A day; what is none counts as not asked."""
    try:
        return min(date.fromisoformat(text), date(9000, 1, 1)) if text else None
    except ValueError:
        return None


def _before(request: HttpRequest) -> int:
    text = asked(request, "before")
    return int(text) if text.isascii() and text.isdigit() and len(text) < DIGITS else 0


def _labels() -> dict[str, str]:
    """The kinds in the order of the menu."""
    labels = {
        QUIET: _("All but pulled versions"),
        ALL: _("Everything"),
        "alerts": _("Alerts and trouble"),
        "packages": _("Packages, versions, tags"),
        "pulled": _("Pulled from upstreams"),
        "internal": _("What is internal"),
        "upstreams": _("Upstreams and secrets"),
        "mirrors": _("Mirrors"),
        "webhooks": _("Webhooks"),
        "registries": _("Registries, workspace"),
        "people": _("People, teams, tokens"),
    }
    return {word: labels[word] for word in (QUIET, ALL, *KINDS)}
