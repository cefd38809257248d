"""Filters of the pages: times as people read them, values of the audit log."""

import json
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()
UNITS = (
    (timedelta(days=365), lambda n: ngettext("%(n)d year", "%(n)d years", n)),
    (timedelta(days=30), lambda n: ngettext("%(n)d month", "%(n)d months", n)),
    (timedelta(days=1), lambda n: ngettext("%(n)d day", "%(n)d days", n)),
    (timedelta(hours=1), lambda n: ngettext("%(n)d hour", "%(n)d hours", n)),
    (timedelta(minutes=1), lambda n: ngettext("%(n)d minute", "%(n)d minutes", n)),
)


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A `<time>` element that reads “3 hours ago” or “in 3 days”, with the whole date on hover."""
    if moment is None:
        return "–"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), date_format(moment, "Y-m-d H:i e"), _words(moment - timezone.now())
    )


@register.filter
def compact(value: object) -> str:
    """A JSON value of an event on one line: `internal: true, size: 12`."""
    if isinstance(value, dict):
        return ", ".join(f"{key}: {json.dumps(inner, ensure_ascii=False)}" for key, inner in value.items())[:300]
    return "" if value is None else json.dumps(value, ensure_ascii=False)[:300]


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
