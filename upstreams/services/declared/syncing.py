"""`[mirror]` of a file: the one schedule that mirrors from its default source (else from the one that is asked first)."""

from dataclasses import replace

from django.db.models import QuerySet

from registries.models import Registry
from upstreams.models import MirrorSchedule, Upstream
from upstreams.services.credentials import shell_alone
from upstreams.services.declared.differences import ADDED, CHANGED, SAME, Difference, Line
from upstreams.services.declared.reading import FileInvalid, SourceFile
from upstreams.services.mirroring.schedules import Plan, change_schedule, create_schedule
from workspaces.access import Actor
from workspaces.errors import Invalid

EVERYTHING = ("*",)
OPERATOR = Actor(name="operator", is_operator=True)  # whoever is at the shell of the installation


def apply_sync(actor: Actor, registry: Registry, file: SourceFile) -> Difference | None:
    """Make the schedule what the file says; None where it says nothing and there is none. Raises FileInvalid, Denied."""
    upstream = _source(registry, file)
    if file.sync is None or upstream is None:
        return None
    found = file_schedules(registry).filter(upstream=upstream).first()
    plan = Plan(patterns=file.sync.patterns or EVERYTHING, every=file.sync.every, enabled=file.sync.is_on)
    if found is None and not plan.enabled:
        return None
    try:
        made = _made(actor, registry, upstream, plan) if found is None else _changed(actor, found, plan)
        return replace(made, notes=_notes(upstream, plan))
    except Invalid as error:
        field = next(iter(error.fields), "")
        key = {"patterns": "mirror.packages", "name": "mirror.packages", "every": "mirror.sync_interval"}.get(field, "mirror")
        raise FileInvalid(key, error.message) from None


def file_schedules(registry: Registry) -> QuerySet[MirrorSchedule]:
    """Schedules that a file, or somebody at the command line, made."""
    return (
        MirrorSchedule.objects.select_related("registry__workspace", "upstream")
        .filter(registry=registry, created_by=OPERATOR.name)
        .order_by("id")
    )


def _source(registry: Registry, file: SourceFile) -> Upstream | None:
    """The default source, else the first that is asked, among those of the file."""
    rows = Upstream.objects.filter(registry=registry, name__in=[one.wish.name for one in file.sources]).select_related("source__workspace")
    if file.default:
        return rows.filter(name=file.default).first()
    return rows.filter(is_enabled=True).exclude(kind=Upstream.Kind.REGISTRY).order_by("priority", "id").first()


def _notes(upstream: Upstream, plan: Plan) -> tuple[str, ...]:
    """What a worker cannot read: the schedule would order jobs that all fail."""
    names = ", ".join(f"${{{name}}}" for name in shell_alone(upstream)) if plan.enabled else ""
    if not names:
        return ()
    advice = (
        "name it UPSTREAM_… in their environment, keep it as a secret of the workspace, or let a clock of your own run manage.py mirror"
    )
    return (f"its jobs will fail: workers cannot read {names} of source {upstream.name}; {advice}.",)


def _made(actor: Actor, registry: Registry, upstream: Upstream, plan: Plan) -> Difference:
    create_schedule(actor=actor, registry=registry, upstream=upstream, plan=plan)
    lines = (Line("packages", (), plan.patterns), Line("sync_interval", "", plan.every))
    return Difference(f"mirroring from {upstream.name}", ADDED, lines)


def _changed(actor: Actor, schedule: MirrorSchedule, plan: Plan) -> Difference:
    pairs = {
        "packages": (list(schedule.patterns), list(plan.patterns)),
        "sync_interval": (schedule.every, plan.every),
        "auto_sync": (schedule.is_enabled, plan.enabled),
    }
    lines = tuple(Line(key, old, new) for key, (old, new) in pairs.items() if old != new)
    if lines:
        changes = {"patterns": plan.patterns, "every": plan.every, "enabled": plan.enabled}
        change_schedule(actor=actor, schedule=schedule, changes=changes)
    return Difference(f"mirroring from {schedule.upstream.name}", CHANGED if lines else SAME, lines)
