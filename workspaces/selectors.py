"""Reads over people and workspaces."""

from django.db.models import QuerySet

from workspaces.access import Action, Actor
from workspaces.errors import NotFound, Unauthenticated
from workspaces.models import Claim, Event, Group, Membership, User, Workspace


def workspace_for(actor: Actor, slug: str, action: Action = Action.READ) -> Workspace:
    """The workspace gate: fetched and authorised in one step.

    Raises Unauthenticated for nobody, NotFound for strangers, Denied when a member may not do this.
    """
    from workspaces.errors import Denied

    if actor.is_anonymous:
        raise Unauthenticated("Sign in to see this workspace.")
    workspace = Workspace.objects.filter(slug=slug).first()
    if workspace is None or actor.role_in(workspace.pk) is None:
        raise NotFound(f"There is no workspace “{slug[:40]}”.")
    if not actor.may_in(workspace.pk, action):
        raise Denied("Your role or token does not allow this here.")
    return workspace


def workspaces_of(actor: Actor) -> QuerySet[Workspace]:
    """The workspaces the caller belongs to; all of them for an operator."""
    if actor.is_operator:
        return Workspace.objects.all()
    return Workspace.objects.filter(pk__in=list(actor.roles))


def alerts(workspace: Workspace) -> QuerySet[Event]:
    """Events a person should look at: other bytes offered, versions shadowed."""
    return Event.objects.filter(workspace=workspace, action__startswith="alert.")


class GroupNotFound(NotFound):
    """No such group in the workspace."""

    code = "group_not_found"


class OrganisationNotFound(NotFound):
    """npm's word for a workspace, and none that this registry belongs to."""

    code = "organisation_not_found"


def check_organisation(workspace: Workspace, named: str) -> None:
    """That `named` (`acme` or `@acme`) means this workspace: its slug, or a scope it claims. Raises OrganisationNotFound."""
    scope = named.removeprefix("@").lower()
    if scope == workspace.slug or Claim.objects.filter(workspace=workspace, pattern=f"@{scope}/*").exists():
        return
    raise OrganisationNotFound(
        f"There is no organisation “{named[:40]}” here: this registry belongs to “{workspace.slug}”,"
        " and a scope means the same once the workspace claims it."
    )


def group_of(workspace: Workspace, slug: str) -> Group:
    """One group. Raises GroupNotFound."""
    found = Group.objects.filter(workspace=workspace, slug=slug).first()
    if found is None:
        raise GroupNotFound(f"There is no team “{slug[:40]}” in this workspace.")
    return found


def groups_of(workspace: Workspace) -> QuerySet[Group]:
    """Its groups, by slug."""
    return Group.objects.filter(workspace=workspace)


def membership_of(workspace: Workspace, username: str) -> Membership | None:
    """The membership of that person, if they can sign in."""
    return members_of(workspace).filter(user__username=username).first()


def members_of(workspace: Workspace) -> QuerySet[Membership]:
    """The memberships of people who can sign in, by name."""
    found = Membership.objects.filter(workspace=workspace, user__is_active=True)
    return found.select_related("user").order_by("user__username")


def colleague(actor: Actor, workspace: Workspace, username: str) -> User:
    """A person of the same workspace, or the caller. Raises NotFound, with one text for all other names."""
    if actor.user_id is not None and username == actor.name:
        return User.objects.get(pk=actor.user_id)
    found = membership_of(workspace, username) if actor.may_in(workspace.pk, Action.READ) else None
    if found is None:
        raise NotFound("There is no such user, or it is not yours to see.")
    return found.user
