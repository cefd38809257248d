"""How often files were handed out."""

from datetime import date, timedelta

from django.db.models import Sum
from django.utils import timezone

from packages.models import Download, Package


def downloads_of(package: Package, version: str = "", *, days: int = 30) -> list[tuple[date, int]]:
    """How often its files (or that version's) were handed out on each of the last days (UTC), today last."""
    today = timezone.now().date()
    first = today - timedelta(days=days - 1)
    rows = Download.objects.filter(package=package, day__gte=first)
    if version:
        rows = rows.filter(version=version)
    counts = dict(rows.values_list("day").annotate(Sum("count")))
    return [(day, counts.get(day, 0)) for day in (first + timedelta(days=number) for number in range(days))]
