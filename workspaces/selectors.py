"""Reads over people and workspaces."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypedDict, cast

from django.db.models import Count, Exists, Max, Min, OuterRef, QuerySet

from workspaces.access import Action, Actor
from workspaces.errors import NotFound, Unauthenticated
from workspaces.models import Acknowledgement, Claim, Event, Group, Membership, User, Workspace

ALERT = "alert."  # how the actions of events begin that a person should look at


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


class AlertGroup(TypedDict):
    """All alerts of one kind about one thing: how often and since when; `last` is the newest event's id."""

    action: str
    object: str
    last: int
    number: int
    first_at: datetime
    last_at: datetime


def alerts(workspace: Workspace) -> QuerySet[Event]:
    """Events a person should look at: other bytes offered, versions shadowed."""
    return Event.objects.filter(workspace=workspace, action__startswith=ALERT)


def alert_groups(workspace: Workspace, *, acknowledged: bool = False) -> QuerySet[Event, AlertGroup]:
    """The alerts that nobody has acknowledged, or those that somebody has: alike ones as one, the newest first."""
    seen = Acknowledgement.objects.filter(
        workspace=workspace, action=OuterRef("action"), object=OuterRef("object"), through__gte=OuterRef("pk")
    )
    found = alerts(workspace).filter(Exists(seen) if acknowledged else ~Exists(seen)).order_by().values("action", "object")
    counted = found.annotate(last=Max("id"), number=Count("id"), first_at=Min("at"), last_at=Max("at"))
    return cast("QuerySet[Event, AlertGroup]", counted.order_by("-last"))


def acknowledgements_of(workspace: Workspace, groups: Iterable[AlertGroup]) -> dict[tuple[str, str], Acknowledgement]:
    """Who looked at these, by kind and thing."""
    objects = {group["object"] for group in groups}
    found = Acknowledgement.objects.filter(workspace=workspace, object__in=objects) if objects else ()
    return {(one.action, one.object): one for one in found}


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
    found = Membership.objects.filter(workspace=workspace, user__is_active=True, is_active=True)
    return found.select_related("user").order_by("user__username")


def colleague(actor: Actor, workspace: Workspace, username: str) -> User:
    """A person of the same workspace, or the caller. Raises NotFound, with one text for all other names."""
    if actor.user_id is not None and username == actor.name:
        return User.objects.get(pk=actor.user_id)
    found = membership_of(workspace, username) if actor.may_in(workspace.pk, Action.READ) else None
    if found is None:
        raise NotFound("There is no such user, or it is not yours to see.")
    return found.user
