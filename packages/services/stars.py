"""Stars: that a member likes a package (npm star)."""

from django.db import transaction

from packages.models import Star
from packages.services.versions import locked_package
from registries.models import Registry
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied
from workspaces.selectors import members_of
from workspaces.services.audit import record
from workspaces.services.people import lock_people


@transaction.atomic
def set_star(*, actor: Actor, registry: Registry, format: str, name: str, starred: bool) -> bool:  # noqa: A002 - the field's own word
    """Give or take back the caller's star; returns whether that changed anything. Raises Denied, PackageNotFound."""
    member = members_of(registry.workspace).filter(user_id=actor.user_id or 0).first()
    if member is None or not actor.may(Action.STAR, registry, Target(format, name)):
        raise Denied("Only members of the workspace star its packages, with a login or a token that may write.")
    lock_people(registry.workspace)
    package = locked_package(registry, format, name)
    if starred:
        _, changed = Star.objects.get_or_create(package=package, member=member)
    else:
        changed = bool(Star.objects.filter(package=package, member=member).delete()[0])
    if not changed:  # the name's epoch stays, and so does everything rendered
        transaction.set_rollback(True)
        return False
    action = "package.starred" if starred else "package.unstarred"
    record(
        actor,
        action,
        f"{registry} {format} {name}",
        workspace=registry.workspace_id,
        old={"starred": not starred},
        new={"starred": starred},
    )
    return True
