"""Filters of the pages: times as people read them, values of the audit log."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

register = template.Library()
UNITS: tuple[tuple[timedelta, Callable[[int], str]], ...] = (
    (timedelta(days=365), lambda n: ngettext("%(n)d year", "%(n)d years", n)),
    (timedelta(days=30), lambda n: ngettext("%(n)d month", "%(n)d months", n)),
    (timedelta(days=1), lambda n: ngettext("%(n)d day", "%(n)d days", n)),
    (timedelta(hours=1), lambda n: ngettext("%(n)d hour", "%(n)d hours", n)),
    (timedelta(minutes=1), lambda n: ngettext("%(n)d minute", "%(n)d minutes", n)),
)
WORDS = {
    "alert.integrity_changed": gettext_lazy("Other bytes than those on record were offered, and refused"),
    "alert.versions_shadowed": gettext_lazy("Versions pulled from outside are hidden, because their name is internal"),
    "alert.manifest_differs": gettext_lazy("The package.json in a tarball is not what its document said; the tarball is believed"),
    "alert.removed_upstream": gettext_lazy("An upstream no longer offers what it offered; versions whose files are kept here stay"),
    "alert.internal_upstream_answered": gettext_lazy("An internal upstream answered for a name, which is internal since"),
    "alert.upstream_trouble": gettext_lazy("An upstream cannot be used until somebody mends it"),
    "version.disclosed": gettext_lazy("Internal versions were let out to an upstream that is not internal"),
    "upstream.trouble": gettext_lazy("An upstream was in trouble"),
    "ask": gettext_lazy("an install would ask the sources marked “would be asked” first"),
    "answer": gettext_lazy("it is answered from the sources below"),
    "absent": gettext_lazy("no source that may answer has it"),
    "unavailable": gettext_lazy("it is refused for now, because an internal source cannot answer"),
}


@register.filter
def words(code: str) -> str:
    """A code of the domain as a sentence; unknown ones as they are."""
    return str(WORDS.get(code, code))


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """A `<time>` element that reads “3 hours ago” or “in 3 days”, with the whole date on hover."""
    if moment is None:
        return "\u2013"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), date_format(moment, "Y-m-d H:i e"), _words(moment - timezone.now())
    )


@register.filter
def compact(value: object) -> str:
    """A JSON value of an event on one line: `internal: true, size: 12`; a sentence that was written for people stands whole and first."""
    if isinstance(value, dict) and isinstance(value.get("sentence"), str):
        rest = compact({key: inner for key, inner in value.items() if key != "sentence"})
        return f"{value['sentence']} ({rest})" if rest else value["sentence"]
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_short(inner)}" for key, inner in value.items() if inner not in (None, "", []))[:300]
    return "" if value is None else _short(value)


@register.filter
def short_integrity(value: str) -> str:
    """The first characters of an SRI, enough to compare at a glance."""
    return f"{value[:19]}…" if len(value) > 20 else value  # noqa: PLR2004 - the cut itself


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"{text[:40]}…" if len(text) > 41 else text  # noqa: PLR2004 - the cut itself


def _words(distance: timedelta) -> str:
    for unit, words in UNITS:
        count = abs(distance) // unit
        if count:
            said = words(count) % {"n": count}
            return (_("in %(time)s") if distance > timedelta(0) else _("%(time)s ago")) % {"time": said}
    return _("just now")
