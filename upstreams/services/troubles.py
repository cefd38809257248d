"""Trouble with upstreams, in the audit log: one event for each upstream and kind of trouble in an hour, however often it is met.

What a person has to mend (refused credentials, an address that may not be reached, a host that is not the one it was) is
an alert instead. Other bytes under a known version are told by alerts of their own (upstreams/services/alerts.py).
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone

from upstreams.errors import (
    HostKeyChanged,
    InternalSourceUnavailable,
    RuleChanged,
    UpstreamBusy,
    UpstreamError,
    UpstreamForbiddenAddress,
    UpstreamIntegrityMismatch,
    UpstreamUnauthorized,
)
from upstreams.models import Upstream
from upstreams.services.last_trouble import note
from workspaces.models import Event
from workspaces.services.audit import SYSTEM, record

AGAIN = timedelta(hours=1)  # after this long the same trouble is told again
ENTRIES = 4096
SENTENCE = 500  # characters of what went wrong that are kept
FOR_A_PERSON = (UpstreamUnauthorized, UpstreamForbiddenAddress, HostKeyChanged)
# Our own doing, told by whoever met it first, or told by an alert of its own.
NOT_TOLD = (RuleChanged, UpstreamBusy, InternalSourceUnavailable, UpstreamIntegrityMismatch)

log = logging.getLogger(__name__)
_told: dict[tuple[int, str], float] = {}  # (upstream, kind) -> when this process may look at the log again
_lock = threading.Lock()


def tell_of_trouble(upstream: Upstream, error: UpstreamError, about: str = "") -> None:
    """Write the event unless the same was told within the hour. `about`: the package it was met with. Never raises."""
    if isinstance(error, NOT_TOLD):
        return
    note(upstream, error, about)
    if not _is_due(upstream.pk, error.code):
        return
    try:
        _tell(upstream, error, about)
    except DatabaseError:  # the answer to the client is the error itself, whether it could be written down or not
        log.exception("trouble with an upstream could not be recorded")
        with _lock:
            _told.pop((upstream.pk, error.code), None)  # it is not told yet


@contextlib.contextmanager
def telling(upstream: Upstream, about: str) -> Iterator[None]:
    """Whatever trouble with `upstream` is raised inside is told, and raised."""
    try:
        yield
    except UpstreamError as error:
        tell_of_trouble(upstream, error, about)
        raise


def _is_due(upstream_id: int, code: str) -> bool:
    """Whether this process has not looked within the hour: an upstream that is down costs no journey to the database each time."""
    now = time.monotonic()
    with _lock:
        if _told.get((upstream_id, code), now) > now:
            return False
        if len(_told) >= ENTRIES:
            _told.clear()
        _told[upstream_id, code] = now + AGAIN.total_seconds()
        return True


@transaction.atomic
def _tell(upstream: Upstream, error: UpstreamError, about: str) -> None:
    """Under the upstream's row, so that of many processes one writes."""
    fresh = Upstream.objects.select_for_update(of=("self",)).select_related("registry__workspace").filter(pk=upstream.pk).first()
    if fresh is None:
        return
    action = "alert.upstream_trouble" if isinstance(error, FOR_A_PERSON) else "upstream.trouble"
    subject, workspace_id = f"{fresh.registry} {fresh.name}", fresh.registry.workspace_id
    since = timezone.now() - AGAIN
    earlier = Event.objects.filter(workspace_id=workspace_id, action=action, object=subject, at__gt=since, new__code=error.code)
    if not earlier.exists():
        new = {"sentence": error.message[:SENTENCE], "code": error.code, "about": about[:300], "internal": fresh.is_internal}
        record(SYSTEM, action, subject, workspace=workspace_id, new=new)
