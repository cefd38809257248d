"""Alerts: events a person should look at, written once each."""

from upstreams.models import Upstream
from workspaces.models import Event
from workspaces.services.audit import SYSTEM, record


def integrity_changed(upstream: Upstream, name: str, version: str, pinned: str, offered: str) -> None:
    """A source offers other bytes under a number this registry has seen: refused, recorded, shown."""
    subject = f"{upstream.registry} {upstream.format} {name}@{version}"
    _once(upstream, "alert.integrity_changed", subject, {"pinned": pinned[:200]}, {"upstream": upstream.name, "offered": offered[:200]})


def _once(upstream: Upstream, action: str, subject: str, old: object, new: object) -> None:
    workspace_id = upstream.registry.workspace_id
    if not Event.objects.filter(workspace_id=workspace_id, action=action, object=subject[:400], new=new).exists():
        record(SYSTEM, action, subject, workspace=workspace_id, old=old, new=new)
