"""Reads over packages."""

from django.db.models import BooleanField, Count, Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from packages.errors import PackageNotFound, VersionNotFound
from packages.models import Package, Tag, Version
from registries.models import Registry


def packages_of(registry: Registry, *, format: str = "", search: str = "", internal: bool | None = None) -> QuerySet[Package]:  # noqa: A002
    """Packages of a registry with `version_count`, `latest` and `has_internal`, by name."""
    tagged = Tag.objects.filter(package=OuterRef("pk"), name="latest").values("version__version")[:1]
    # What was only pulled has no tags of its own: the version that came last stands for it.
    last = Version.objects.filter(package=OuterRef("pk")).order_by("-id").values("version")[:1]
    found = Package.objects.filter(registry=registry).annotate(
        version_count=Count("versions"),
        latest=Coalesce(Subquery(tagged), Subquery(last)),
        has_internal=Exists(Version.objects.filter(package=OuterRef("pk"), is_internal=True)),
    )
    if format:
        found = found.filter(format=format)
    if search:
        found = found.filter(folded__contains=search.lower())
    if internal is not None:
        found = found.filter(has_internal=Value(internal, BooleanField()))
    return found.order_by("name")


def package_of(registry: Registry, format: str, name: str) -> Package:  # noqa: A002
    """One package. Raises PackageNotFound."""
    found = Package.objects.select_related("registry__workspace").filter(registry=registry, format=format, name=name).first()
    if found is None:
        raise PackageNotFound(f"There is no package {name[:214]} in {registry}.")
    return found


def versions_of(package: Package) -> QuerySet[Version]:
    """The versions of a package, newest first by time, with tags, files and origin at hand."""
    return (
        Version.objects.filter(package=package)
        .defer("manifest")
        .select_related("published_by")
        .prefetch_related("tags", "files__blob")
        .order_by("-created_at", "-id")
    )


def version_of(package: Package, version: str) -> Version:
    """One version with its tags and files. Raises VersionNotFound."""
    found = Version.objects.filter(package=package, version=version).prefetch_related("tags", "files__blob").first()
    if found is None:
        raise VersionNotFound(f"{package.name} has no version {version[:80]} here.")
    return found
