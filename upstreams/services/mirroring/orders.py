"""Ordering a mirror job, cancelling one, trying again what failed. Publishers may: it is many pulls."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from packages.models import NAME_LENGTH
from registries.models import Registry
from upstreams.models import Mirror, MirrorItem, Upstream
from upstreams.services.mirroring.drivers import WITHIN, Options, Wanted
from upstreams.services.mirroring.hold import OPEN, free
from upstreams.services.mirroring.known import check_versions
from upstreams.services.mirroring.ledger import subject_of
from upstreams.services.mirroring.lists import wanted_in
from upstreams.services.mirroring.work import check_may_ask
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied, Invalid, NotFound
from workspaces.services.audit import record

PATTERNS = 200
State = Mirror.State


class MirrorNotFound(NotFound):
    """No such job here."""

    code = "mirror_not_found"


class MirrorUnderway(Conflict):
    """The same is being mirrored already, or waits to be."""

    code = "mirror_underway"

    def __init__(self, message: str, *, mirror_id: int = 0, fields: dict[str, str] | None = None) -> None:
        super().__init__(message, fields=fields)
        self.mirror_id = mirror_id


class MirrorOver(Conflict):
    """The job is over, or (for a retry) not yet."""

    code = "mirror_over"


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be mirrored: patterns (`@acme/*`), names (`left-pad`), names with a version or range (`left-pad@^1.2`).

    `wanted`: the same from a list; `listed` says in words which. `worker`: who will work on it at once, and nobody else
    as long as they give signs of life.
    """

    patterns: Sequence[str] = ()
    options: Options = field(default_factory=Options)
    wanted: Sequence[Wanted] = ()
    listed: str = ""
    worker: str = ""


def order(*, actor: Actor, registry: Registry, upstream: Upstream, order: Order) -> Mirror:
    """Write a job down; whoever sends it off does so after the commit. Raises Denied, Invalid, MirrorUnderway."""
    may_mirror(actor, registry)
    check_may_ask(upstream)
    check_versions(upstream.format, order.options.versions)
    patterns = checked_patterns(upstream, order.patterns)
    if not patterns and not order.wanted:
        raise Invalid("Say what to mirror: patterns, or a lock file.", fields={"patterns": "required"})
    sought = {*(wanted_in(upstream, pattern) for pattern in patterns), *order.wanted}
    if upstream.is_internal and order.options.dependencies and not order.options.anywhere:
        sought = {_as_question(one) for one in sought}
    with transaction.atomic():
        Upstream.objects.select_for_update().get(pk=upstream.pk)
        mirror = Mirror(registry=registry, upstream=upstream, patterns=patterns, options=asdict(order.options), listed=order.listed[:100])
        _promise(mirror, order.worker)
        _be_alone(mirror)
        return _begin(actor, mirror, sought, "mirror.ordered")


def cancel(*, actor: Actor, mirror: Mirror) -> Mirror:
    """End a job: at once when nobody works on it, else within a second or two. Raises Denied, MirrorOver."""
    may_mirror(actor, mirror.registry)
    with transaction.atomic():
        if not Mirror.objects.filter(pk=mirror.pk, state__in=OPEN).update(cancel_asked=True):
            raise MirrorOver("The job is over already.")
        # One that is kept for the command that ordered it gives signs of life too, while it waits for its turn.
        waiting = Mirror.objects.filter(free() | Q(state=State.QUEUED), pk=mirror.pk, state__in=OPEN)
        waiting.update(state=State.CANCELLED, worker="", beat_at=None, ended_at=timezone.now())
        record(actor, "mirror.cancelled", subject_of(mirror), workspace=mirror.registry.workspace_id, new={"id": mirror.pk})
    mirror.refresh_from_db()
    return mirror


def retry(*, actor: Actor, mirror: Mirror, worker: str = "") -> Mirror:
    """A new job for what the former failed at, or did not come to; `worker`: as in an order.

    Raises Denied, MirrorOver, Conflict, MirrorUnderway.
    """
    may_mirror(actor, mirror.registry)
    check_may_ask(mirror.upstream)
    with transaction.atomic():
        Upstream.objects.select_for_update().get(pk=mirror.upstream_id)
        former = Mirror.objects.get(pk=mirror.pk)
        if former.state in OPEN:
            raise MirrorOver("The job is not over yet.")
        left = MirrorItem.objects.filter(mirror=former, state__in=(MirrorItem.State.FAILED, MirrorItem.State.WAITING))
        sought = {Wanted(name, version) for name, version in left.values_list("name", "version")}
        if not sought:
            raise Conflict("Nothing failed in this job.")
        again = Mirror(registry=mirror.registry, upstream=mirror.upstream, patterns=former.patterns, options=former.options)
        again.listed = f"what job {former.pk} did not bring"
        _promise(again, worker)
        _be_alone(again)
        return _begin(actor, again, sought, "mirror.ordered")


def mirror_of(registry: Registry, mirror_id: int) -> Mirror:
    """That job of the registry. Raises MirrorNotFound."""
    found = Mirror.objects.select_related("registry__workspace", "upstream").filter(registry=registry, pk=mirror_id).first()
    if found is None:
        raise MirrorNotFound("There is no such mirror job here.")
    return found


def may_mirror(actor: Actor, registry: Registry) -> None:
    """Raises Denied."""
    if not actor.may(Action.PUBLISH, registry):
        raise Denied("Only publishers and above mirror packages into a registry.")


def checked_patterns(upstream: Upstream, patterns: Sequence[str]) -> list[str]:
    """Patterns without blanks and doubles. Raises Invalid, and NameInvalid for a name that cannot be."""
    found = list(dict.fromkeys(stripped for pattern in patterns if (stripped := pattern.strip())))
    if len(found) > PATTERNS:
        raise Invalid(f"A job has at most {PATTERNS} patterns; longer lists come as a file.", fields={"patterns": "too many"})
    for pattern in found:
        if len(pattern) > NAME_LENGTH or not pattern.isprintable():
            raise Invalid(f"{pattern[:80]!r} is no pattern: at most {NAME_LENGTH} printable characters.", fields={"patterns": "grammar"})
        wanted_in(upstream, pattern)
    return found


def _promise(mirror: Mirror, worker: str) -> None:
    """Nobody else takes the job as long as that worker gives signs of life."""
    if worker:
        mirror.worker, mirror.beat_at = worker, timezone.now()


def _be_alone(mirror: Mirror) -> None:
    """Raises MirrorUnderway when an unfinished job of this upstream was ordered with the same words."""
    for other in Mirror.objects.filter(upstream=mirror.upstream, state__in=OPEN, cancel_asked=False, listed=mirror.listed):
        if sorted(other.patterns) == sorted(mirror.patterns) and other.options == mirror.options:
            raise MirrorUnderway(f"Job {other.pk} mirrors the same already.", mirror_id=other.pk)


def _as_question(one: Wanted) -> Wanted:
    """A version as a range of one: by questions a name that was ordered is told from one that something depends on."""
    return Wanted(one.name, WITHIN + one.version) if one.is_file else one


def _begin(actor: Actor, mirror: Mirror, sought: set[Wanted], event: str) -> Mirror:
    mirror.asked_by, mirror.total = actor.name[:128], len(sought)
    mirror.save()
    rows = [MirrorItem(mirror=mirror, name=one.name, version=one.version) for one in sorted(sought)]
    MirrorItem.objects.bulk_create(rows, batch_size=500)
    new = {"patterns": list(mirror.patterns)[:50], "listed": mirror.listed, "options": {k: v for k, v in mirror.options.items() if v}}
    record(actor, event, subject_of(mirror), workspace=mirror.registry.workspace_id, new=new)
    return mirror
