"""A stay with a job, from taking it to giving it back."""

import time
from collections.abc import Callable

from django.conf import settings

from upstreams.models import Mirror, Upstream
from upstreams.services.mirroring.engine import STOP, Run
from upstreams.services.mirroring.hold import new_worker, release, take, waiting_beside
from upstreams.services.mirroring.known import driver_for
from upstreams.services.mirroring.ledger import HoldLost, Ledger
from upstreams.services.mirroring.present import check_enabled
from upstreams.targets import target_of
from workspaces.errors import GatehouseError, Invalid


def no_tell() -> None:
    """Nobody wants to know."""


def work(mirror_id: int, *, seconds: float | None = None, worker: str = "", tell: Callable[[], None] = no_tell) -> int | None:
    """Stay with a job for a while; the job whose turn it is then at the same upstream, which may be the same.

    None: nothing is left to do there, or somebody else works there already. `worker`: who was promised the job.
    """
    worker = worker or new_worker()
    mirror = take(mirror_id, worker)
    if mirror is None:
        return None
    until = time.monotonic() + (settings.MIRROR_SLICE if seconds is None else seconds)
    try:
        try:
            is_over = _stay(mirror, worker, until, tell)
        except GatehouseError as error:  # nothing can be asked at all
            Ledger(mirror.pk, worker).end(Mirror.State.FAILED, error.message)
            is_over = True
    except HoldLost:
        return None
    finally:
        release(mirror_id, worker, for_long=STOP.is_set())
    return _next(mirror, is_over=is_over)


def _stay(mirror: Mirror, worker: str, until: float, tell: Callable[[], None]) -> bool:
    check_may_ask(mirror.upstream)
    target_of(mirror.upstream)  # credentials that cannot be had end the job before anybody is asked
    return Run(mirror, worker, driver_for(mirror.upstream.format), tell).go(until)


def check_may_ask(upstream: Upstream) -> None:
    """That the upstream may be asked at all. Raises Invalid."""
    check_enabled(upstream)
    check_kind(upstream)


def check_kind(upstream: Upstream) -> None:
    """That such an upstream can be mirrored. Raises Invalid, FormatNotMirrored."""
    if upstream.kind == Upstream.Kind.REGISTRY:
        source = upstream.source or "another registry"
        sentence = (
            f"Upstream {upstream.name} is {source} of this workspace, and a registry cannot be mirrored from:"
            f" what {source} can reach comes when it is installed. Mirror into {source} itself, or pull what shall be held here."
        )
        raise Invalid(sentence, fields={"upstream": "kind"})
    driver_for(upstream.format)


def _next(mirror: Mirror, *, is_over: bool) -> int | None:
    """Jobs of an upstream go round: the next younger one, after the youngest the oldest."""
    waiting = sorted({*waiting_beside(mirror.upstream_id, mirror.pk), *([] if is_over else [mirror.pk])})
    return next((number for number in waiting if number > mirror.pk), waiting[0] if waiting else None)
