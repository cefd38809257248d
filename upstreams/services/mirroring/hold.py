"""Who works on a job: a row is taken by whoever finds it free, and kept by signs of life.

At one upstream one job is worked on at a time in the whole installation. So its threads are all that download from there, two
runs never overlap, and jobs of one upstream take turns.
"""

import os
import secrets
import socket
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from upstreams.models import Mirror, Upstream

REMEMBERED = timedelta(days=90)  # how long a job that is over can be looked at
OPEN = (Mirror.State.QUEUED, Mirror.State.RUNNING)


def new_worker() -> str:
    """A name nobody else has: the machine, the process, and a word of its own."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"


def last_beat() -> datetime:
    """Whoever gave no sign of life since then is dead."""
    silence: timedelta = settings.MIRROR_SILENCE
    return timezone.now() - silence


def free() -> Q:
    """Of jobs: nobody alive works on it."""
    return Q(beat_at=None) | Q(beat_at__lte=last_beat())


def is_at_work(mirror: Mirror) -> bool:
    """Whether somebody alive works on it; one that was begun and has nobody waits for its turn, or for a worker."""
    return mirror.state == Mirror.State.RUNNING and mirror.beat_at is not None and mirror.beat_at > last_beat()


@transaction.atomic
def take(mirror_id: int, worker: str) -> Mirror | None:
    """The job, taken; None when it is over, somebody else works on it, or on another job of the same upstream."""
    upstream = Upstream.objects.select_for_update().filter(pk__in=Mirror.objects.filter(pk=mirror_id).values("upstream")).first()
    others = Mirror.objects.filter(upstream=upstream, state__in=OPEN).exclude(pk=mirror_id).exclude(free())
    if upstream is None or others.exists():
        return None
    now = timezone.now()
    mine = Mirror.objects.filter(free() | Q(worker=worker), pk=mirror_id, state__in=OPEN)
    taken = mine.update(state=Mirror.State.RUNNING, worker=worker, beat_at=now, started_at=Coalesce(F("started_at"), now))
    return Mirror.objects.select_related("registry__workspace", "upstream__source__workspace").get(pk=mirror_id) if taken else None


def beat(mirror_id: int, worker: str) -> bool | None:
    """A sign of life. Whether the job shall be cancelled; None when it is not this worker's any more."""
    if not Mirror.objects.filter(pk=mirror_id, worker=worker).update(beat_at=timezone.now()):
        return None
    return Mirror.objects.filter(pk=mirror_id, worker=worker).values_list("cancel_asked", flat=True).first()


def release(mirror_id: int, worker: str, *, for_long: bool = False) -> bool:
    """Give the job back, to be gone on with, or (`for_long`) to wait for a worker again; whether it was this worker's."""
    mine = Mirror.objects.filter(pk=mirror_id, worker=worker, state=Mirror.State.RUNNING)
    return bool(mine.update(state=Mirror.State.QUEUED if for_long else Mirror.State.RUNNING, worker="", beat_at=None))


def waiting_beside(upstream_id: int, mirror_id: int) -> list[int]:
    """The other jobs of an upstream that wait for their turn, the oldest first."""
    rows = Mirror.objects.filter(free(), upstream_id=upstream_id, state__in=OPEN).exclude(pk=mirror_id)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:10])


def abandoned() -> list[int]:
    """Of each upstream where nobody is at work the oldest job that waits: its message was lost, or its worker died."""
    waiting = Mirror.objects.filter(free(), state__in=OPEN)
    busy = Mirror.objects.filter(state__in=OPEN).exclude(free())
    rows = waiting.exclude(upstream__in=busy.values("upstream")).order_by("-pk").values_list("upstream_id", "pk")
    return sorted(dict(rows).values())


def forget_mirrors() -> int:
    """Delete jobs that were over long ago; the audit log keeps what they came to."""
    return Mirror.objects.filter(ended_at__lt=timezone.now() - REMEMBERED).exclude(state__in=OPEN).delete()[0]
