"""Who may write one package beyond their role, and who may see it (npm: owner, access)."""

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from packages.errors import LastMaintainer, PackageChanged, RegistryPrivate
from packages.models import Package
from packages.selectors import is_publisher, maintainers_of, named_maintainers
from packages.services.listing import list_in_search
from packages.services.publish import touch
from packages.services.versions import locked_package
from registries.models import PackageRight, Registry
from registries.services import open_to_readers, restrict
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied, Invalid, NotFound
from workspaces.models import Membership
from workspaces.selectors import group_of, members_of
from workspaces.services.audit import record
from workspaces.services.people import lock_people

MAINTAIN = PackageRight.Permission.MAINTAIN


@transaction.atomic
def set_maintainers(*, actor: Actor, registry: Registry, format: str, name: str, names: Sequence[str], revision: str) -> list[str]:  # noqa: A002
    """Make exactly these members the package's maintainers; returns who they are now.

    npm sends the whole list back, so `revision` must be the package's present one: else somebody else's change
    would be undone. Names shown before that are no members (any more) are left out. Raises Denied,
    PackageNotFound, PackageChanged, LastMaintainer, and Invalid for a new name that is no member.
    """
    package = _locked(actor, registry, format, name)
    if revision != str(package.revision):
        raise PackageChanged(f"{name[:214]} was changed by somebody else in the meantime; run the command again.")
    return _become(actor, package, maintainers_of(package), list(names))


@transaction.atomic
def add_maintainer(*, actor: Actor, registry: Registry, format: str, name: str, username: str) -> list[str]:  # noqa: A002
    """Make one member more a maintainer; returns who they are now. Raises Denied, PackageNotFound, Invalid."""
    package = _locked(actor, registry, format, name)
    shown = maintainers_of(package)
    return _become(actor, package, shown, [*shown, username])


@transaction.atomic
def remove_maintainer(*, actor: Actor, registry: Registry, format: str, name: str, username: str) -> list[str]:  # noqa: A002
    """The maintainers without one of them. Raises Denied, PackageNotFound, NotFound, LastMaintainer."""
    package = _locked(actor, registry, format, name)
    shown = maintainers_of(package)
    if username not in shown:
        raise NotFound(f"“{username[:64]}” is no maintainer of {name[:214]}.")
    return _become(actor, package, shown, [one for one in shown if one != username])


def _become(actor: Actor, package: Package, shown: list[str], names: list[str]) -> list[str]:
    workspace = package.registry.workspace
    wanted = {member.user.username: member for member in members_of(workspace).filter(user__username__in=names)}
    unknown = [one for one in names if one not in wanted and one not in shown]
    if unknown:
        raise Invalid(
            f"“{unknown[0][:64]}” is not a member of this workspace, so cannot maintain its packages; an admin adds members first.",
            fields={"maintainers": "not a member"},
        )
    if not wanted:
        raise LastMaintainer(f"{package.name} keeps at least one maintainer; name another one first.")
    _keep_maintainers(package, list(wanted.values()))
    if sorted(wanted) != shown:
        touch(package)
        list_in_search(package)
        _record(actor, "owners.changed", package, {"maintainers": shown}, {"maintainers": sorted(wanted)})
    return sorted(wanted)


@transaction.atomic
def set_restricted(*, actor: Actor, registry: Registry, format: str, name: str, restricted: bool) -> None:  # noqa: A002
    """For members only, or for everybody who may read the registry. Raises Denied, PackageNotFound, RegistryPrivate."""
    package = _locked(actor, registry, format, name)
    if not restricted and not Registry.objects.get(pk=registry.pk).is_public:
        raise RegistryPrivate(
            f"{name[:214]} cannot be public: the registry {registry} is private. An admin can make the whole registry public."
        )
    change = restrict if restricted else open_to_readers
    if change(registry.pk, format, name):
        _record(actor, "access.status", package, {"restricted": not restricted}, {"restricted": restricted})


@transaction.atomic
def grant(*, actor: Actor, registry: Registry, format: str, name: str, group: str, permission: str) -> None:  # noqa: A002
    """Let a group read or write the package. Raises Denied, PackageNotFound, GroupNotFound."""
    package = _locked(actor, registry, format, name)
    key: dict[str, Any] = {"registry": registry, "format": format, "name": name, "group": group_of(registry.workspace, group)}
    old = PackageRight.objects.filter(**key).first()
    if old is not None and old.permission == permission:
        return
    PackageRight.objects.update_or_create(**key, defaults={"permission": permission})
    before = {"group": group, "permission": old.permission} if old else None
    _record(actor, "access.granted", package, before, {"group": group, "permission": permission})


@transaction.atomic
def revoke(*, actor: Actor, registry: Registry, format: str, name: str, group: str) -> None:  # noqa: A002
    """Take a group's right on the package away. Raises Denied, PackageNotFound, GroupNotFound, NotFound."""
    package = _locked(actor, registry, format, name)
    right = PackageRight.objects.filter(registry=registry, format=format, name=name, group=group_of(registry.workspace, group)).first()
    if right is None:
        raise NotFound(f"The team “{group[:40]}” has no right of its own on {name[:214]}.")
    right.delete()
    _record(actor, "access.revoked", package, {"group": group, "permission": right.permission}, None)


def _locked(actor: Actor, registry: Registry, format: str, name: str) -> Package:  # noqa: A002
    """The package, its name and the workspace's people locked, if the caller may maintain it. Raises Denied, PackageNotFound."""
    lock_people(registry.workspace)
    package = locked_package(registry, format, name)
    is_own = not named_maintainers(package) and is_publisher(package, actor.user_id)
    if not actor.may(Action.MAINTAIN, registry, Target(format, name, is_own=is_own)):
        raise Denied(f"{actor.name or 'This token'} may not say who may write or see {name[:214]}: only its maintainers and admins may.")
    return package


def _keep_maintainers(package: Package, members: list[Membership]) -> None:
    key = {"registry_id": package.registry_id, "format": package.format, "name": package.name}
    rights = PackageRight.objects.filter(**key, group=None)
    rights.exclude(member__in=members).delete()
    rows = [PackageRight(**key, member=member, permission=MAINTAIN) for member in members]
    PackageRight.objects.bulk_create(rows, ignore_conflicts=True)


def _record(actor: Actor, action: str, package: Package, old: object, new: object) -> None:
    record(actor, action, f"{package.registry} {package.format} {package.name}", workspace=package.registry.workspace_id, old=old, new=new)
