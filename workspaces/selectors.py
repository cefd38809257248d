"""Reads over people and workspaces."""

from django.db.models import QuerySet

from workspaces.access import Action, Actor
from workspaces.errors import NotFound, Unauthenticated
from workspaces.models import Event, Workspace


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
