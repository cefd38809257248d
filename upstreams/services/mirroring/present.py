"""An upstream as it is when names are asked of it: the row a job was taken with may be an old one by then."""

from dataclasses import dataclass
from typing import Self

from registries.models import Registry
from upstreams.errors import RuleChanged
from upstreams.models import Upstream
from upstreams.selectors.many import Moment, moment_of
from workspaces.errors import Invalid


@dataclass(frozen=True)
class Present:
    """The row, and the moment it was read after: what is decided by it holds as long as that is the moment."""

    registry: Registry
    upstream: Upstream
    moment: Moment

    @classmethod
    def of(cls, registry: Registry, upstream: Upstream) -> Self:
        """As of now. Raises Invalid when the upstream may not be asked any more."""
        moment = moment_of(registry, ())  # first: a change after it is noticed
        row = Upstream.objects.select_related("registry__workspace", "source").filter(pk=upstream.pk).first()
        if row is None or (row.kind == Upstream.Kind.REGISTRY) or row.format != upstream.format:
            raise Invalid(f"Upstream {upstream.name} is not what it was when this was ordered.", fields={"upstream": "kind"})
        check_enabled(row)
        return cls(registry, row, moment)

    def check(self) -> None:
        """Raises RuleChanged."""
        if moment_of(self.registry, ()) != self.moment:
            raise RuleChanged("The rules changed just now; try again.", upstream=self.upstream.name, retry_after=1)


def check_enabled(upstream: Upstream) -> None:
    """Raises Invalid."""
    if not upstream.is_enabled:
        raise Invalid(f"Upstream {upstream.name} is disabled, so it is not asked.", fields={"upstream": "disabled"})
