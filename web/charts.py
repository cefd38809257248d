"""Small charts as shapes of an SVG, drawn on the server. Pure but for the language."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

WIDTH, HEIGHT, GAP = 240, 48, 2  # user units


@dataclass(frozen=True)
class Bar:
    """One day: a rectangle and what it says."""

    x: int
    y: int
    width: int
    height: int
    title: str


@dataclass(frozen=True)
class Chart:
    """Bars side by side, the last day at the right; `sentence` says in words what they show."""

    width: int
    height: int
    total: int
    sentence: str
    bars: list[Bar]


def bars_of(days: Sequence[tuple[date, int]]) -> Chart:
    """A bar for each day, as high as its share of the most; none for a day without."""
    most = max((count for _day, count in days), default=0)
    step = WIDTH // max(1, len(days))
    bars = [
        Bar(number * step, HEIGHT - _height(count, most), step - GAP, _height(count, most), f"{date_format(day, 'j M')}: {count}")
        for number, (day, count) in enumerate(days)
        if count
    ]
    return Chart(WIDTH, HEIGHT, sum(count for _day, count in days), _sentence(days, most), bars)


def _height(count: int, most: int) -> int:
    return max(2, round(count / most * HEIGHT)) if count else 0


def _sentence(days: Sequence[tuple[date, int]], most: int) -> str:
    total = sum(count for _day, count in days)
    if not total:
        return _("No downloads in the last %(days)d days.") % {"days": len(days)}
    best = next(day for day, count in days if count == most)
    said = ngettext("%(n)d download in the last %(days)d days", "%(n)d downloads in the last %(days)d days", total)
    return said % {"n": total, "days": len(days)} + _(", most on %(day)s: %(most)d.") % {"day": date_format(best, "j F"), "most": most}
