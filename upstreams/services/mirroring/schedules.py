"""Jobs that are ordered again and again: for admins, since nobody looks on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from registries.models import Registry
from upstreams.models import MirrorSchedule, Upstream
from upstreams.services.mirroring.drivers import Options
from upstreams.services.mirroring.known import check_versions
from upstreams.services.mirroring.orders import MirrorUnderway, Order, checked_patterns, order
from upstreams.services.mirroring.times import parse_every
from upstreams.services.mirroring.work import check_kind
from workspaces.access import Action, Actor
from workspaces.errors import Denied, GatehouseError, Invalid, NotFound
from workspaces.services.audit import record

SCHEDULES = 100  # of one registry
CHANGEABLE = frozenset({"patterns", "every", "enabled", "options"})


class ScheduleNotFound(NotFound):
    """No such schedule here."""

    code = "schedule_not_found"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A schedule as wanted."""

    patterns: tuple[str, ...]
    every: str
    options: Options = field(default_factory=Options)
    enabled: bool = True


def create_schedule(*, actor: Actor, registry: Registry, upstream: Upstream, plan: Plan) -> MirrorSchedule:
    """Order a job for again and again; the first one after the first interval. Raises Denied, Invalid, TimeInvalid."""
    _may_manage(actor, registry)
    check_kind(upstream)
    with transaction.atomic():
        if MirrorSchedule.objects.filter(registry=registry).count() >= SCHEDULES:
            raise Invalid(f"A registry has at most {SCHEDULES} schedules.")
        schedule = MirrorSchedule(registry=registry, upstream=upstream, created_by=actor.name[:128])
        _apply(schedule, plan)
        schedule.save()
        record(actor, "mirror.scheduled", _subject(schedule), workspace=registry.workspace_id, new=describe_schedule(schedule))
    return schedule


def change_schedule(*, actor: Actor, schedule: MirrorSchedule, changes: Mapping[str, object]) -> MirrorSchedule:
    """Change some of a plan's fields. Raises Denied, Invalid, TimeInvalid."""
    _may_manage(actor, schedule.registry)
    with transaction.atomic():
        locked = MirrorSchedule.objects.select_for_update(of=("self",))  # or registry and workspace too, in an order of its own
        fresh = locked.select_related("registry__workspace", "upstream").get(pk=schedule.pk)
        old = describe_schedule(fresh)
        plan = {"patterns": tuple(fresh.patterns), "every": fresh.every, "options": Options(**fresh.options), "enabled": fresh.is_enabled}
        _apply(fresh, Plan(**{**plan, **{key: value for key, value in changes.items() if key in CHANGEABLE}}))  # type: ignore[arg-type]
        fresh.save()
        new = describe_schedule(fresh)
        record(actor, "mirror.rescheduled", _subject(fresh), workspace=fresh.registry.workspace_id, old=old, new=new)
    return fresh


@transaction.atomic
def remove_schedule(*, actor: Actor, schedule: MirrorSchedule) -> None:
    """What it ordered stays, done or not. Raises Denied."""
    _may_manage(actor, schedule.registry)
    old = describe_schedule(schedule)
    record(actor, "mirror.unscheduled", _subject(schedule), workspace=schedule.registry.workspace_id, old=old)
    schedule.delete()


def schedule_of(registry: Registry, schedule_id: int) -> MirrorSchedule:
    """That schedule of the registry. Raises ScheduleNotFound."""
    found = MirrorSchedule.objects.select_related("registry__workspace", "upstream").filter(registry=registry, pk=schedule_id).first()
    if found is None:
        raise ScheduleNotFound("There is no such schedule here.")
    return found


def describe_schedule(schedule: MirrorSchedule) -> dict[str, object]:
    """A schedule in the words of REST."""
    return {
        "upstream": schedule.upstream.name,
        "patterns": schedule.patterns,
        **{word: value for word, value in schedule.options.items() if word in {"dependencies", "versions", "full"}},
        "every": schedule.every,
        "enabled": schedule.is_enabled,
    }


def order_due(now: datetime) -> list[int]:
    """Order what is due, each once however long nobody looked; the jobs' numbers."""
    due = MirrorSchedule.objects.filter(is_enabled=True, next_at__lte=now).select_related("registry__workspace", "upstream")
    return [number for schedule in due if _is_mine(schedule, now) and (number := _ordered(schedule)) is not None]


def _is_mine(schedule: MirrorSchedule, now: datetime) -> bool:
    """Move the schedule on; of several who look at the same time one does."""
    following = parse_every(schedule.every).after(now, schedule.next_at)
    return bool(MirrorSchedule.objects.filter(pk=schedule.pk, next_at=schedule.next_at).update(next_at=following))


def _ordered(schedule: MirrorSchedule) -> int | None:
    """The job; None when the same is under way still, or cannot be ordered: then that is told."""
    actor = Actor(None, f"schedule {schedule.pk}", is_operator=True)
    wish = Order(patterns=schedule.patterns, options=Options(**schedule.options))
    try:
        return order(actor=actor, registry=schedule.registry, upstream=schedule.upstream, order=wish).pk
    except MirrorUnderway:
        return None
    except GatehouseError as error:
        told = {"trouble": error.message}
        record(actor, "mirror.not_ordered", _subject(schedule), workspace=schedule.registry.workspace_id, new=told)
        return None


def _apply(schedule: MirrorSchedule, plan: Plan) -> None:
    patterns = checked_patterns(schedule.upstream, plan.patterns)
    if not patterns:
        raise Invalid("Say what to mirror.", fields={"patterns": "required"})
    check_versions(schedule.upstream.format, plan.options.versions)
    every, now = parse_every(plan.every), timezone.now()
    is_other = plan.every.strip() != schedule.every or (plan.enabled and not schedule.is_enabled)
    if is_other:
        schedule.next_at = every.after(now)
    schedule.patterns, schedule.every, schedule.is_enabled = patterns, plan.every.strip(), plan.enabled
    schedule.options = asdict(plan.options)


def _may_manage(actor: Actor, registry: Registry) -> None:
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners change a registry's schedules.")


def _subject(schedule: MirrorSchedule) -> str:
    return f"{schedule.registry} {schedule.upstream.name} schedule {schedule.pk or 'new'}"
