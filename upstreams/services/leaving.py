"""What goes along with an upstream that is removed: its mirror jobs and schedules, told before and after."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from upstreams.models import Mirror, MirrorSchedule, Upstream
from upstreams.services.mirroring.hold import OPEN
from upstreams.services.mirroring.schedules import describe_schedule


@dataclass(frozen=True)
class Belongings:
    """Jobs, as far as they are remembered, those of them that are not over, and schedules: numbers."""

    jobs: int
    under_way: int
    schedules: int

    def as_text(self) -> str:
        """`3 mirror jobs (1 under way) and 1 schedule`; '' where there is nothing."""
        under_way = f" ({self.under_way:,} under way)" if self.under_way else ""
        jobs = f"{self.jobs:,} mirror job{'' if self.jobs == 1 else 's'}{under_way}" if self.jobs else ""
        schedules = f"{self.schedules:,} schedule{'' if self.schedules == 1 else 's'}" if self.schedules else ""
        return " and ".join(part for part in (jobs, schedules) if part)


def belongings_of(upstream: Upstream) -> Belongings:
    """What would be deleted with it."""
    return belongings_by([upstream])[upstream.pk]


def belongings_by(upstreams: Sequence[Upstream]) -> dict[int, Belongings]:
    """The same of several, by their numbers."""
    mirrors = Mirror.objects.filter(upstream__in=upstreams).order_by().values("upstream")
    counted = mirrors.annotate(jobs=Count("pk"), open=Count("pk", filter=Q(state__in=OPEN)))
    jobs = {row["upstream"]: (row["jobs"], row["open"]) for row in counted}
    rows = MirrorSchedule.objects.filter(upstream__in=upstreams).order_by().values("upstream")
    schedules = {row["upstream"]: row["number"] for row in rows.annotate(number=Count("pk"))}
    return {one.pk: Belongings(*jobs.get(one.pk, (0, 0)), schedules.get(one.pk, 0)) for one in upstreams}


def told_of_leaving(upstream: Upstream) -> dict[str, object]:
    """The same for the audit log, which keeps what the schedules were."""
    found = belongings_of(upstream)
    schedules = [describe_schedule(one) for one in MirrorSchedule.objects.filter(upstream=upstream).select_related("upstream")]
    return {**({"jobs": found.jobs} if found.jobs else {}), **({"schedules": schedules} if schedules else {})}
