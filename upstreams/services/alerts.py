"""Alerts: events a person should look at, written once each."""

from collections.abc import Mapping, Sequence

from django.db.models import Max

from upstreams.models import Upstream
from upstreams.selectors.moved import ACCEPTED
from workspaces.models import Event
from workspaces.services.audit import SYSTEM, record

SHOWN = 50  # versions listed in one alert


def integrity_changed(upstream: Upstream, name: str, pinned: Mapping[str, str], offered: Mapping[str, str], format: str = "") -> None:  # noqa: A002
    """A source offers other bytes under numbers this registry has seen: refused, recorded, shown. Both: version -> promise.

    `format`: of the name, where the upstream is a registry of the workspace and has packages of every format.
    """
    versions = sorted(offered)[:SHOWN]
    subject = f"{upstream.registry} {format or upstream.format} {name}" + (f"@{versions[0]}" if len(offered) == 1 else "")
    old = {version: pinned[version][:200] for version in versions}
    new = {"upstream": upstream.name, "offered": {version: offered[version][:200] for version in versions}}
    _once(upstream, "alert.integrity_changed", subject, old, new)


def checksum_wrong(upstream: Upstream, version: str, promised: str, sent: str) -> None:
    """A file is not what its source itself promises of it, at first sight: damaged, or listed wrongly. `version`: `name@1.0.0`."""
    new = {"upstream": upstream.name, "sent": sent[:200]}
    _once(upstream, "alert.checksum_wrong", f"{upstream.registry} {upstream.format} {version}", {"promised": promised[:200]}, new)


def tag_moved(upstream: Upstream, version: str, first: str, now: str, *, is_kept: bool) -> None:
    """A Git repository has moved the tag of a version that was seen at another commit. `version`: `name@1.0.0`.

    `is_kept`: the first commit can still be given, and the version stays what it was; else it is not offered any more.
    """
    new = {"upstream": upstream.name, "commit": now, "kept": is_kept}
    _once(upstream, "alert.tag_moved", f"{upstream.registry} {upstream.format} {version}", {"commit": first}, new)


def manifest_differs(upstream: Upstream, version: str, differences: Sequence[Mapping[str, object]]) -> None:
    """A tarball is not what its document said (manifest confusion): served as the tarball is, recorded, shown. `version`: `name@1.0.0`."""
    new = {"upstream": upstream.name, "differences": list(differences)[:SHOWN]}
    _once(upstream, "alert.manifest_differs", f"{upstream.registry} {upstream.format} {version}", None, new)


def removed_upstream(upstream: Upstream, name: str, versions: Sequence[str], *, whole: bool) -> None:
    """A source no longer offers what it offered: hidden unless its bytes are held here, told. `whole`: the package is gone there."""
    subject = f"{upstream.registry} {upstream.format} {name}" + (f"@{versions[0]}" if len(versions) == 1 and not whole else "")
    new = {"upstream": upstream.name, "whole": whole, "versions": sorted(versions)[:SHOWN], "number": len(versions)}
    _once(upstream, "alert.removed_upstream", subject, None, new)


def _once(upstream: Upstream, action: str, subject: str, old: object, new: object) -> None:
    """Unless the very same was told. What was told before somebody accepted other bytes is another matter."""
    workspace_id = upstream.registry.workspace_id
    about = Event.objects.filter(workspace_id=workspace_id, object=subject[:400])
    told = about.filter(action=action, new=new).aggregate(last=Max("pk"))["last"]
    if told is None or about.filter(action=ACCEPTED, pk__gt=told).exists():
        record(SYSTEM, action, subject, workspace=workspace_id, old=old, new=new)
