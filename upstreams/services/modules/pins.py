"""Pins of modules: the checksum of every version as a registry first saw it. First bytes win."""

import base64

import orjson

from packages.formats.moonbit.index import Index
from packages.formats.moonbit.names import Name
from upstreams.memory import parsed
from upstreams.models import Upstream
from upstreams.services.alerts import integrity_changed
from upstreams.services.pinning import ADD, HOLD, PINNED
from workspaces import statements

FORMAT = "moonbit"


def pins_of(registry_id: int, name: Name) -> dict[str, str]:
    """Version -> "sha256-…" as it was seen first."""
    found = statements.row(PINNED, [registry_id, FORMAT, name.full])
    pinned: dict[str, str] = parsed(bytes(found[0])) if found is not None else {}
    return pinned


def pin(upstream: Upstream, name: Name, index: Index) -> None:
    """Record what is offered for the first time; tell of what changed. In the caller's transaction."""
    pin_id, integrities = statements.row(HOLD, [upstream.registry_id, FORMAT, name.full, b"{}"]) or (None, b"{}")
    pinned: dict[str, str] = parsed(bytes(integrities))
    offered = {entry.version: entry.integrity for entry in index.entries}
    if fresh := {version: value for version, value in offered.items() if version not in pinned}:
        statements.run(ADD, [orjson.dumps(pinned | fresh), pin_id])
    changed = {version: value for version, value in offered.items() if pinned.get(version, value) != value}
    if changed:
        integrity_changed(upstream, name.full, pinned, changed)


def pin_one(registry_id: int, name: Name, version: str, integrity: str) -> str:
    """Record one version, if it is seen for the first time; what is pinned of it, which may be other bytes. In the caller's transaction."""
    pin_id, integrities = statements.row(HOLD, [registry_id, FORMAT, name.full, b"{}"]) or (None, b"{}")
    pinned: dict[str, str] = parsed(bytes(integrities))
    if version not in pinned:
        statements.run(ADD, [orjson.dumps({**pinned, version: integrity}), pin_id])
    return pinned.get(version, integrity)


def sri(sha256: str) -> str:
    """A SHA-256 in hex as SRI has it."""
    return "sha256-" + base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
