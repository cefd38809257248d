"""How much each registry holds, counted by the sweep: a page adds up rows instead of versions."""

from datetime import timedelta

from django.db.models import Count, Exists, F, OuterRef, Q, Sum
from django.utils import timezone

from packages.models import Package, Usage, Version
from registries.models import Registry

LARGE = 10_000  # packages: such a registry is counted again after LATER only
LATER, DAILY = timedelta(minutes=10), timedelta(days=1)  # the second: what was deleted leaves no trace
AT_ONCE = 50  # registries of one sweep


def count_usage(limit: int = AT_ONCE) -> int:
    """Count registries that changed since they were counted, those first that were never; answers how many."""
    now = timezone.now()
    changed = Exists(Package.objects.filter(registry=OuterRef("pk"), updated_at__gte=OuterRef("usage__counted_at")))
    due = Q(usage=None) | Q(usage__counted_at__lt=now - DAILY)
    due |= Q(changed, usage__packages__lt=LARGE) | Q(changed, usage__counted_at__lt=now - LATER)
    ids = list(Registry.objects.filter(due).order_by(F("usage__counted_at").asc(nulls_first=True)).values_list("pk", flat=True)[:limit])
    for registry_id in ids:
        count_registry(registry_id)
    return len(ids)


def count_registry(registry_id: int) -> None:
    """Count one registry now."""
    begun = timezone.now()
    held = Version.objects.filter(package__registry_id=registry_id).aggregate(versions=Count("pk"), bytes=Sum("size"))
    counts = {
        "packages": Package.objects.filter(registry_id=registry_id).count(),
        "versions": held["versions"],
        "bytes": held["bytes"] or 0,
    }
    if Registry.objects.filter(pk=registry_id).exists():  # deleted meanwhile
        Usage.objects.update_or_create(registry_id=registry_id, defaults={**counts, "counted_at": begun})
