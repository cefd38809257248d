"""The audit log: one row per act, written in the transaction of the act."""

from workspaces.access import Actor
from workspaces.insertion import insert, statement_for
from workspaces.models import Event, Workspace
from workspaces.statements import Write

SYSTEM = Actor(name="gatehouse")


def record(actor: Actor, action: str, subject: str, *, workspace: Workspace | int | None, old: object = None, new: object = None) -> Event:
    """Write one event. `old` and `new` are JSON values and never hold a secret."""
    event = _event(actor, action, subject, workspace, old, new)
    insert(event)
    return event


def event_write(actor: Actor, action: str, subject: str, *, workspace: Workspace | int | None, new: object) -> Write:
    """The same event, to be written together with other rows."""
    event, statement = _event(actor, action, subject, workspace, None, new), statement_for(Event)
    return Write("event", statement.text, statement.values(event))


def _event(actor: Actor, action: str, subject: str, workspace: Workspace | int | None, old: object, new: object) -> Event:
    workspace_id = workspace.pk if isinstance(workspace, Workspace) else workspace
    return Event(
        workspace_id=workspace_id,
        actor=(actor.name or "anonymous")[:128],
        token_name=(actor.grant.token_name if actor.grant else "")[:128],
        ip=actor.ip[:45],
        action=action,
        object=subject[:400],
        old=old,
        new=new,
    )
