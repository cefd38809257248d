"""Background work of the upstreams' floor: fetch ids, call one service, nothing else."""

import logging
import time
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from packages.services.counting import count_usage
from packages.services.listing import list_missing
from packages.services.signing import sign_missing
from tokens.services.visits import sweep_visits
from tokens.services.web_login import sweep_logins
from upstreams.services.git.targets import sweep_mirrors
from upstreams.services.mirroring.hold import abandoned, forget_mirrors
from upstreams.services.mirroring.schedules import order_due
from upstreams.services.mirroring.work import work
from upstreams.services.modules.indexes import forget_indexes
from upstreams.services.upkeep import forget_answers, forget_renderings, shrink_cache

SIGNED_AT_ONCE = 5000  # versions
STALE_AFTER = 3600.0  # seconds without a write: whoever was writing is gone
log = logging.getLogger(__name__)
FOLDERS = ("staging", "spool")


@shared_task
def sweep() -> None:
    """Housekeeping each minute: logins that are over, files that a crash left beside the storage, versions not signed yet."""
    sweep_logins()
    sweep_visits()
    count_usage()
    list_missing()
    sign_missing(limit=SIGNED_AT_ONCE)
    sweep_files(time.time() - STALE_AFTER)


@shared_task
def forget() -> None:
    """Hourly: keep the caches within bounds."""
    forget_renderings()
    forget_answers()
    forget_mirrors()
    shrink_cache()
    forget_indexes()
    sweep_mirrors()


@shared_task
def mirror(mirror_id: int) -> None:
    """A stay with a mirror job; then whoever's turn it is at that upstream."""
    following = work(mirror_id)
    if following is not None:
        send_mirror(following)


@shared_task
def attend_mirrors() -> None:
    """Each minute: schedules that are due, jobs whose worker died, or whose message was lost."""
    for mirror_id in {*order_due(timezone.now()), *abandoned()}:
        send_mirror(mirror_id)


def send_mirror(mirror_id: int) -> None:
    """Let a worker have the job. A message that the queue does not take is made up for by the next minute."""
    try:
        mirror.apply_async((mirror_id,), retry=False)
    except (OperationalError, OSError):
        log.warning("the queue does not take messages; mirror job %s waits for the next minute", mirror_id)


def sweep_files(before: float) -> int:
    """Delete files in the staging and spool folders last written `before` that moment; returns how many."""
    swept = 0
    for folder in FOLDERS:
        for path in Path(settings.DATA_DIR, folder).glob("**/*"):
            swept += _swept(path, before)
    return swept


def _swept(path: Path, before: float) -> bool:
    try:
        if not path.is_file() or path.stat().st_mtime >= before:
            return False
        path.unlink()
    except FileNotFoundError:  # moved into place, or swept by another worker, since the folder was read
        return False
    return True
