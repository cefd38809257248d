"""Orders of a team, worked on in this process."""

from collections.abc import Sequence
from typing import Any

from packages.models import Version
from tests.npm.team import Team
from upstreams.models import Mirror, Upstream
from upstreams.services.mirroring.drivers import Options, Wanted
from upstreams.services.mirroring.orders import Order, order
from upstreams.services.mirroring.work import work


class Jobs:
    """One upstream's."""

    def __init__(self, team: Team, upstream: Upstream) -> None:
        self.team, self.upstream = team, upstream

    def order(self, *patterns: str, who: str = "bob", wanted: Sequence[Wanted] = (), listed: str = "", **options: Any) -> Mirror:
        """Only ordered."""
        wish = Order(patterns=patterns, options=Options(**options), wanted=wanted, listed=listed)
        return order(actor=self.team.actor(who), registry=self.team.registry, upstream=self.upstream, order=wish)

    def run(self, *patterns: str, **wish: Any) -> Mirror:
        """Ordered, and worked on until nothing is left to do."""
        return self.finish(self.order(*patterns, **wish))

    def finish(self, mirror: Mirror) -> Mirror:
        """Worked on until it is over."""
        while work(mirror.pk, seconds=60) == mirror.pk:
            pass
        mirror.refresh_from_db()
        return mirror

    def held(self) -> list[str]:
        """What the registry holds, as name@version."""
        rows = Version.objects.filter(package__registry=self.team.registry).order_by("package__name", "version")
        return [f"{name}@{version}" for name, version in rows.values_list("package__name", "version")]


def troubles(mirror: Mirror) -> dict[str, str]:
    """What failed, and why."""
    return dict(mirror.items.filter(state="failed").values_list("name", "trouble"))
