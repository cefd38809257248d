"""Pins of modules: the checksum of every version as a registry first saw it. First bytes win."""

import base64

import orjson

from packages.formats.moonbit.index import Index
from packages.formats.moonbit.names import Name
from packages.models import Format
from upstreams.memory import parsed
from upstreams.models import Pin, Upstream
from upstreams.services.alerts import integrity_changed


def pins_of(registry_id: int, name: Name) -> dict[str, str]:
    """Version -> "sha256-…" as it was seen first."""
    found = Pin.objects.filter(registry=registry_id, format=Format.MOONBIT, name=name.full).values_list("integrities", flat=True).first()
    pinned: dict[str, str] = parsed(bytes(found)) if found is not None else {}
    return pinned


def pin(upstream: Upstream, name: Name, index: Index) -> None:
    """Record what is offered for the first time; tell of what changed. In the caller's transaction."""
    key = {"registry_id": upstream.registry_id, "format": Format.MOONBIT, "name": name.full}
    Pin.objects.bulk_create([Pin(**key)], ignore_conflicts=True)
    row = Pin.objects.select_for_update().get(**key)
    pinned: dict[str, str] = parsed(bytes(row.integrities))
    offered = {entry.version: entry.integrity for entry in index.entries}
    if fresh := {version: value for version, value in offered.items() if version not in pinned}:
        row.integrities = orjson.dumps(pinned | fresh)
        row.save(update_fields=["integrities"])
    changed = {version: value for version, value in offered.items() if pinned.get(version, value) != value}
    if changed:
        integrity_changed(upstream, name.full, pinned, changed)


def sri(sha256: str) -> str:
    """A SHA-256 in hex as SRI has it."""
    return "sha256-" + base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
