"""A registry's packages by where they came from: made in the workspace, or from one of its upstreams."""

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from packages.models import Package, Version
from registries.models import Registry
from upstreams.models import Origin, Upstream
from workspaces.access import Actor

OWN = "own"  # what was made in the workspace; an upstream of this name is not told apart
FEW = 20_000  # versions of an upstream that are looked up from its side; with more, nearly every package has one


def sources_of(registry: Registry) -> list[str]:
    """The names of the upstreams whose versions the registry may hold, in the order they are asked."""
    return list(Upstream.objects.filter(registry=registry).order_by("priority", "id").values_list("name", flat=True))


def from_source(found: QuerySet[Package], actor: Actor, registry: Registry, source: str) -> QuerySet[Package]:
    """Those of `found` with a version made in the workspace (`own`), or from the upstream of that name; all for "".

    Visitors of a public registry are not told where its packages come from: for them no source has any.
    """
    if not source:
        return found
    if actor.role_in(registry.workspace_id) is None:
        return found.none()
    if source == OWN:
        return found.filter(Exists(Version.objects.filter(package=OuterRef("pk")).exclude(origin=Version.Origin.PULLED)))
    upstream = Upstream.objects.filter(registry=registry, name=source).first()
    if upstream is None:
        return found.none()
    came = Origin.objects.filter(upstream=upstream)
    if came[:FEW].count() < FEW:
        return found.filter(pk__in=came.values("version__package"))
    # One look for each package, from its own side: a join would read every version of the upstream first.
    pulled = Version.objects.filter(package=OuterRef("pk"), origin=Version.Origin.PULLED, upstream_origin__upstream=upstream)
    return found.alias(first_pulled=Subquery(pulled.values("pk")[:1])).filter(first_pulled__isnull=False)
