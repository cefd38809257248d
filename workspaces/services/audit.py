"""The audit log: one row per act, written in the transaction of the act."""

from workspaces.access import Actor
from workspaces.insertion import insert
from workspaces.models import Event, Workspace

SYSTEM = Actor(name="gatehouse")


def record(actor: Actor, action: str, subject: str, *, workspace: Workspace | int | None, old: object = None, new: object = None) -> Event:
    """Write one event. `old` and `new` are JSON values and never hold a secret."""
    workspace_id = workspace.pk if isinstance(workspace, Workspace) else workspace
    event = Event(
        workspace_id=workspace_id,
        actor=(actor.name or "anonymous")[:128],
        token_name=(actor.grant.token_name if actor.grant else "")[:128],
        ip=actor.ip[:45],
        action=action,
        object=subject[:400],
        old=old,
        new=new,
    )
    insert(event)
    return event
