"""What a registry holds, as people list it: by name or time, narrowed by words, flag, and format.

Quick whatever the number of packages: rows are chosen by indexed columns alone, and what a list shows of each
(`version_count`, `latest`, `has_internal`) is asked for those of one page (`workspaces.paging`).
"""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from packages.models import Format, Package, Tag, Version
from packages.selectors import known_to
from registries.models import Registry
from workspaces.access import Actor


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """Which packages. `search`: parts of the name, all of them; `internal`: with an internal version, or without one."""

    format: str = ""
    search: str = ""
    internal: bool | None = None


def packages_of(registry: Registry, *, actor: Actor, wanted: Narrowing | None = None) -> QuerySet[Package]:
    """Packages of a registry that `actor` may know of, by name, with `version_count`, `latest` and `has_internal`."""
    wanted = wanted or Narrowing()
    found = known_to(actor, registry, Package.objects.filter(registry_id=_told(registry)))
    kinds = [wanted.format] if wanted.format else formats_of(registry)
    if len(kinds) == 1:  # then the index has them in order of their names
        found = found.filter(format=kinds[0])
    for part in wanted.search.lower().split()[:5]:
        found = found.filter(folded__contains=part)
    if wanted.internal is not None:
        internal = Exists(_internal())
        found = found.filter(internal if wanted.internal else ~internal)
    return described(found).order_by("name", "pk")


def formats_of(registry: Registry) -> list[str]:
    """The formats the registry holds packages of: a look into the index for each."""
    holds = [Exists(Package.objects.filter(registry=registry, format=one)) for one in Format.values]
    row = Registry.objects.filter(pk=registry.pk).values_list(*holds).first() or ()
    return [one for one, is_held in zip(Format.values, row, strict=False) if is_held]


def described(found: QuerySet[Package]) -> QuerySet[Package]:
    """With `version_count`, `latest` and `has_internal` of each."""
    tagged = Tag.objects.filter(package=OuterRef("pk"), name="latest").values("version__version")[:1]
    # What was only pulled has no tags of its own: the version that search shows stands for it, or that which came last.
    last = _versions().order_by("-id").values("version")[:1]
    count = _versions().order_by().values("package").annotate(count=Count("pk")).values("count")
    return found.annotate(
        version_count=Coalesce(Subquery(count), 0),
        latest=Coalesce(Subquery(tagged), "search_entry__version", Subquery(last)),
        has_internal=Exists(_internal()),
    )


def _told(registry: Registry) -> RawSQL:
    """The registry's number, written into the statement.

    For a parameter PostgreSQL makes, at the sixth time, one plan for registries of any size, and that sorts all of a large one.
    """
    return RawSQL(str(int(registry.pk)), ())  # noqa: S611 - digits


def _internal() -> QuerySet[Version]:
    """Compared, not only named: SQLite looks a bare flag up in no index, and would read every version."""
    return _versions().filter(is_internal__in=(True,))


def _versions() -> QuerySet[Version]:
    return Version.objects.filter(package=OuterRef("pk"))
