"""Reads over packages."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from packages.errors import PackageNotFound, VersionNotFound
from packages.formats.npm.search import NEEDS
from packages.models import Format, Package, SearchWord, Star, Version
from registries.models import PackageRight, Registry, RestrictedName
from workspaces.access import NEEDED, Action, Actor, Target
from workspaces.models import Group, Membership
from workspaces.selectors import members_of

UNSHADOWED = Q(is_internal=True) | ~Q(origin=Version.Origin.PULLED)  # versions that no rule hides
IS_SHOWN = "(%s OR v.is_internal OR v.origin <> 'pulled')"  # the same of SQL's `v`; all of them where the value is true


def known_to(actor: Actor, registry: Registry, found: QuerySet[Package]) -> QuerySet[Package]:
    """Those of `found`, packages of `registry`, that the caller may know of: restricted ones are for members."""
    if actor.role_in(registry.workspace_id) is not None:
        return found
    hidden = RestrictedName.objects.filter(registry=registry, format=OuterRef("format"), name=OuterRef("name"))
    return found.exclude(Exists(hidden))


def package_of(registry: Registry, format: str, name: str) -> Package:  # noqa: A002
    """One package. Raises PackageNotFound."""
    found = Package.objects.select_related("registry__workspace").filter(registry=registry, format=format, name=name).first()
    if found is None:
        raise PackageNotFound(f"There is no package {name[:214]} in {registry}.")
    return found


def dependents_of(actor: Actor, registry: Registry, name: str) -> QuerySet[Package]:
    """The npm packages of the registry whose present version needs `name` at an install, by name, as far as the caller may know them.

    Each has its `search_entry` at hand. By the index of words: whatever the number of packages, one range of it.
    """
    needing = SearchWord.objects.filter(registry_id=registry.pk, word=f"{NEEDS}{name.lower()}".encode()).values("entry_id")
    found = Package.objects.filter(registry=registry, pk__in=needing).select_related("search_entry", "registry__workspace")
    return known_to(actor, registry, found).order_by("name")


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


def named_maintainers(package: Package) -> list[str]:
    """The members who were made its maintainers, by name; none, as long as nobody was."""
    rights = PackageRight.objects.filter(
        registry_id=package.registry_id, format=package.format, name=package.name, permission=PackageRight.Permission.MAINTAIN
    )
    return sorted(rights.values_list("member__user__username", flat=True))


def maintainers_of(package: Package) -> list[str]:
    """Who is shown as its maintainers: those named, else who published its versions."""
    return named_maintainers(package) or _publishers(package)


def _publishers(package: Package) -> list[str]:
    own = Version.objects.filter(package=package).exclude(origin=Version.Origin.PULLED).exclude(published_by_name="")
    return sorted(set(own.values_list("published_by_name", flat=True)))


def is_publisher(package: Package, user_id: int | None) -> bool:
    """Whether this person published a version of it."""
    own = Version.objects.exclude(origin=Version.Origin.PULLED)
    return user_id is not None and own.filter(package=package, published_by_id=user_id).exists()


def starred_by(package: Package) -> list[str]:
    """The members who starred it, by name."""
    return sorted(Star.objects.filter(package=package, member__user__is_active=True).values_list("member__user__username", flat=True))


def stars_of(actor: Actor, registry: Registry, username: str) -> list[str]:
    """The names in a registry that a member starred, as far as the caller may read them."""
    rows = Star.objects.filter(package__registry=registry, package__format=Format.NPM, member__user__username=username)
    return _readable(actor, registry, rows.values_list("package__name", flat=True))


def rights_of_group(actor: Actor, registry: Registry, group: Group) -> dict[str, str]:
    """Name -> "read" or "write", for the names a group has a right on and the caller may read."""
    rows = dict(PackageRight.objects.filter(registry=registry, format=Format.NPM, group=group).values_list("name", "permission"))
    return {name: rows[name] for name in _readable(actor, registry, rows)}


def rights_of_member(actor: Actor, registry: Registry, member: Membership | None) -> dict[str, str]:
    """Name -> "read" or "write" for what a member may do, over the registry's own packages that the caller may read.

    Without a member it is the caller's own standing: a service, or an operator from elsewhere.
    """
    own = Version.objects.filter(package=OuterRef("pk")).exclude(origin=Version.Origin.PULLED)
    names = Package.objects.filter(Exists(own), registry=registry, format=Format.NPM).values_list("name", flat=True)
    if member is None:
        return {
            name: "write" if actor.may(Action.PUBLISH, registry, Target(Format.NPM, name)) else "read"
            for name in _readable(actor, registry, names)
        }
    writes = member.role >= NEEDED[Action.PUBLISH]
    whose = Q(member=member) | Q(group__members__member=member)
    given = set() if writes else set(_writing(registry).filter(whose).values_list("name", flat=True))
    return {name: "write" if writes or name in given else "read" for name in _readable(actor, registry, names)}


def collaborators_of(package: Package) -> dict[str, str]:
    """Member -> "read" or "write": what each member of the workspace may do with the package, by role or by right."""
    rights = _writing(package.registry).filter(name=package.name, format=package.format)
    given = set(rights.values_list("member", flat=True)) | set(rights.values_list("group__members__member", flat=True))
    members = members_of(package.registry.workspace)
    return {one.user.username: "write" if one.role >= NEEDED[Action.PUBLISH] or one.pk in given else "read" for one in members}


@dataclass(frozen=True)
class Access:
    """Who may write a package beyond their role, and who may see it; `teams` are (slug, "read" or "write")."""

    maintainers: list[str]
    teams: list[tuple[str, str]]
    is_restricted: bool


def access_of(package: Package) -> Access:
    """What the package's page says of it."""
    key: dict[str, Any] = {"registry_id": package.registry_id, "format": package.format, "name": package.name}
    rights = PackageRight.objects.filter(**key).values_list("member__user__username", "group__slug", "permission")
    named = sorted(member for member, _team, permission in rights if member and permission == PackageRight.Permission.MAINTAIN)
    teams = sorted((team, permission) for member, team, permission in rights if not member)
    return Access(named or _publishers(package), teams, RestrictedName.objects.filter(**key).exists())


def _writing(registry: Registry) -> QuerySet[PackageRight]:
    return PackageRight.objects.filter(registry=registry, format=Format.NPM).exclude(permission=PackageRight.Permission.READ)


def _readable(actor: Actor, registry: Registry, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if actor.may(Action.READ, registry, Target(Format.NPM, name)))
