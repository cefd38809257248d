"""Groups of a workspace's members; npm knows them as teams of an organisation."""

from django.db import transaction

from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied, Invalid, NotFound
from workspaces.models import Group, GroupMember, Membership, Workspace
from workspaces.selectors import group_of
from workspaces.services.audit import record
from workspaces.services.people import lock_people
from workspaces.slugs import SLUG


class GroupExists(Conflict):
    """The slug is taken in this workspace."""

    code = "group_exists"


@transaction.atomic
def create_group(*, actor: Actor, workspace: Workspace, slug: str, description: str = "") -> Group:
    """A new, empty group. Raises Denied, Invalid, GroupExists."""
    _may_change(actor, workspace)
    if not SLUG.fullmatch(slug):
        sentence = "A team's name has 1 to 40 lower-case letters, digits and dashes, and begins and ends with a letter or digit."
        raise Invalid(sentence, fields={"name": "not a slug"})
    lock_people(workspace)
    if Group.objects.filter(workspace=workspace, slug=slug).exists():
        raise GroupExists(f"A team “{slug}” exists in this workspace already.", fields={"name": "taken"})
    group = Group.objects.create(workspace=workspace, slug=slug, description=description.replace("\0", "")[:500])
    record(actor, "group.created", slug, workspace=workspace, new={"description": group.description})
    return group


@transaction.atomic
def destroy_group(*, actor: Actor, workspace: Workspace, slug: str) -> None:
    """Delete a group; its rights on packages end with it. Raises Denied, GroupNotFound."""
    _may_change(actor, workspace)
    lock_people(workspace)
    group = group_of(workspace, slug)
    members = list(group.members.values_list("member__user__username", flat=True))
    group.delete()
    record(actor, "group.destroyed", slug, workspace=workspace, old={"members": sorted(members)})


@transaction.atomic
def add_to_group(*, actor: Actor, workspace: Workspace, slug: str, username: str) -> bool:
    """Put a member into a group; False when they were in it. Raises Denied, GroupNotFound, NotFound."""
    _may_change(actor, workspace)
    lock_people(workspace)
    _, added = GroupMember.objects.get_or_create(group=group_of(workspace, slug), member=_member(workspace, username))
    if added:
        record(actor, "group.member_added", slug, workspace=workspace, new={"username": username})
    return added


@transaction.atomic
def remove_from_group(*, actor: Actor, workspace: Workspace, slug: str, username: str) -> None:
    """Take a member out of a group; what the group gave them ends at once. Raises Denied, GroupNotFound, NotFound."""
    _may_change(actor, workspace)
    lock_people(workspace)
    place = GroupMember.objects.filter(group=group_of(workspace, slug), member__user__username=username).first()
    if place is None:
        raise NotFound(f"“{username[:64]}” is not in the team “{slug}”.")
    place.delete()
    record(actor, "group.member_removed", slug, workspace=workspace, old={"username": username})


def _may_change(actor: Actor, workspace: Workspace) -> None:
    if not actor.may_in(workspace.pk, Action.MANAGE):
        raise Denied("Only admins and owners of the workspace change its teams.")


def _member(workspace: Workspace, username: str) -> Membership:
    member = Membership.objects.filter(workspace=workspace, user__username=username, user__is_active=True, is_active=True).first()
    if member is None:
        raise NotFound(f"“{username[:64]}” is not a member of this workspace; an admin adds them first (npm org set).")
    return member
