"""Pins: the integrity of every version as a registry first saw it. First bytes win."""

from collections.abc import Mapping

import orjson

from packages.formats.npm.names import Name
from packages.formats.npm.packument import agree
from upstreams.memory import parsed
from upstreams.models import Pin, Upstream
from upstreams.services.alerts import integrity_changed


def pins_of(registry_id: int, name: Name) -> dict[str, str]:
    """Version -> promise."""
    found = Pin.objects.filter(registry=registry_id, format="npm", name=name.full).values_list("integrities", flat=True).first()
    pinned: dict[str, str] = parsed(bytes(found)) if found is not None else {}
    return pinned


def pin(upstream: Upstream, name: Name, offered: Mapping[str, str]) -> None:
    """Record the promises of versions seen for the first time; tell of those that changed. In the caller's transaction."""
    pinned = _added(upstream.registry_id, name, offered)
    changed = {version: value for version, value in offered.items() if not agree(pinned.get(version, value), value)}
    if changed:
        integrity_changed(upstream, name.full, pinned, changed)


def pin_one(registry_id: int, name: Name, version: str, integrity: str) -> None:
    """The same for a version that comes from a registry of the same workspace, whose bytes never change."""
    _added(registry_id, name, {version: integrity})


def _added(registry_id: int, name: Name, offered: Mapping[str, str]) -> dict[str, str]:
    """What was pinned before; with what is new it is pinned now."""
    key = {"registry_id": registry_id, "format": "npm", "name": name.full}
    Pin.objects.bulk_create([Pin(**key)], ignore_conflicts=True)
    row = Pin.objects.select_for_update().get(**key)
    pinned: dict[str, str] = parsed(bytes(row.integrities))
    fresh = {version: value for version, value in offered.items() if version not in pinned}
    if fresh:
        row.integrities = orjson.dumps(pinned | fresh)
        row.save(update_fields=["integrities"])
    return pinned
