"""Filters of the pages: times as people read them, values of the audit log."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from upstreams.models import Mirror, Upstream
from upstreams.services.mirroring.hold import is_at_work
from upstreams.services.wishes import kind_in_words
from web.charts import Chart, bars_of
from web.words import WORDS

register = template.Library()
UNITS: tuple[tuple[timedelta, Callable[[int], str]], ...] = (
    (timedelta(days=365), lambda n: ngettext("%(n)d year", "%(n)d years", n)),
    (timedelta(days=30), lambda n: ngettext("%(n)d month", "%(n)d months", n)),
    (timedelta(days=1), lambda n: ngettext("%(n)d day", "%(n)d days", n)),
    (timedelta(hours=1), lambda n: ngettext("%(n)d hour", "%(n)d hours", n)),
    (timedelta(minutes=1), lambda n: ngettext("%(n)d minute", "%(n)d minutes", n)),
)


@register.filter
def words(code: str) -> str:
    """A code of the domain as a sentence; unknown ones as they are."""
    return str(WORDS.get(code, code))


@register.filter
def kind_words(upstream: Upstream) -> str:
    """What an upstream is, of which packages."""
    return kind_in_words(upstream)


@register.filter
def has_worker(job: Mirror) -> bool:
    """Whether somebody alive works on a mirror job."""
    return is_at_work(job)


@register.filter
def at_slashes(address: object) -> SafeString:
    """An address that breaks behind its slashes, where it has to break at all."""
    return format_html_join(mark_safe("<wbr>"), "{}", ((part,) for part in re.split(r"(?<=/)(?!/)", str(address))))


@register.filter
def moment(text: str | None) -> datetime | None:
    """The time that a trace has as text."""
    return datetime.fromisoformat(text) if text else None


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A `<time>` element that reads “3 hours ago” or “in 3 days”, with the whole date on hover."""
    if moment is None:
        return "\u2013"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), date_format(moment, "Y-m-d H:i e"), _words(moment - timezone.now())
    )


@register.filter
def of(texts: Mapping[int, str], number: int) -> str:
    """The text of that row."""
    return texts.get(number, "")


@register.filter
def entry(table: Mapping[int, object], number: int) -> object:
    """What stands at that number, or None."""
    return table.get(number)


@register.filter
def chart(days: Sequence[tuple[date, int]]) -> Chart:
    """The bars of so many days."""
    return bars_of(days)


@register.filter
def short_integrity(value: str) -> str:
    """The first characters of an SRI, enough to compare at a glance."""
    return f"{value[:19]}…" if len(value) > 20 else value  # noqa: PLR2004 - the cut itself


def _words(distance: timedelta) -> str:
    for unit, words in UNITS:
        count = abs(distance) // unit
        if count:
            said = words(count) % {"n": count}
            return (_("in %(time)s") if distance > timedelta(0) else _("%(time)s ago")) % {"time": said}
    return _("just now")
