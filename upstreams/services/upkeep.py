"""Keeping the caches within bounds: what nobody asked for in a long time is forgotten, and fetched anew when asked."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from upstreams.models import Rendering, UpstreamDocument

UNASKED = timedelta(days=30)
ABSENCES = timedelta(days=1)
CACHE_LIMIT = 10 * 1024**3  # bytes of blobs kept on this machine when the storage is elsewhere


def forget_renderings() -> int:
    """Delete renderings, with their documents, that were made long ago; the next question makes them anew."""
    return Rendering.objects.filter(rendered_at__lt=timezone.now() - UNASKED).delete()[0]


def forget_answers() -> int:
    """Delete what upstreams said long ago, and their absences after a day. Pins stay for ever."""
    now = timezone.now()
    present = UpstreamDocument.objects.filter(is_present=True, fetched_at__lt=now - UNASKED).delete()[0]
    return present + UpstreamDocument.objects.filter(is_present=False, fetched_at__lt=now - ABSENCES).delete()[0]


def shrink_cache(limit: int = CACHE_LIMIT) -> int:
    """Delete the blobs of the local cache that were used longest ago, until it is within `limit`; returns how many."""
    folder = Path(settings.DATA_DIR) / "cache"
    if not folder.is_dir():
        return 0
    found = sorted((path.stat().st_atime, path.stat().st_size, path) for path in folder.glob("*/*"))
    excess, gone = sum(size for _, size, _ in found) - limit, 0
    for _, size, path in found:
        if excess <= 0:
            break
        path.unlink(missing_ok=True)
        excess, gone = excess - size, gone + 1
    return gone
