"""Pins: the integrity of every version as a registry first saw it. First bytes win."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from packages.formats.npm.names import Name
from packages.formats.npm.packument import agree
from packages.models import Version
from upstreams.memory import parsed
from upstreams.models import Upstream
from upstreams.services.alerts import integrity_changed
from workspaces import statements
from workspaces.prepared import Row, Statement

PINNED = "SELECT integrities FROM upstreams_pin WHERE registry_id = %s AND format = %s AND name = %s"
HOLD = (
    "INSERT INTO upstreams_pin (registry_id, format, name, integrities) VALUES (%s, %s, %s, %s)"
    " ON CONFLICT (registry_id, format, name) DO UPDATE SET name = excluded.name RETURNING id, integrities"
)
ADD = "UPDATE upstreams_pin SET integrities = %s WHERE id = %s"


def pins_of(registry_id: int, name: Name) -> dict[str, str]:
    """Version -> promise."""
    found = statements.row(PINNED, [registry_id, "npm", name.full])
    pinned: dict[str, str] = parsed(bytes(found[0])) if found is not None else {}
    return pinned


def pin(upstream: Upstream, name: Name, offered: Mapping[str, str]) -> None:
    """Record the promises of versions seen for the first time; tell of those that changed. In the caller's transaction."""
    for text, values in pinning(upstream, name, offered, statements.rows(*holding(upstream.registry_id, name, offered))).adding:
        statements.run(text, values)


def holding(registry_id: int, name: Name, offered: Mapping[str, str]) -> Statement:
    """The statement that finds the row of a name's pins, made of what is offered when there is none, and keeps it from others."""
    return HOLD, [registry_id, "npm", name.full, orjson.dumps(offered)]


class Pinning(NamedTuple):
    """A name's pins as they will be, and what is to be run until they are."""

    pins: Mapping[str, str]
    adding: list[Statement]


def pinning(upstream: Upstream, name: Name, offered: Mapping[str, str], held: Sequence[Row]) -> Pinning:
    """How to record them; those that changed are told of. `held`: what `holding` found."""
    pinned, adding = _with(held, offered)
    changed = {version: value for version, value in offered.items() if version in pinned and not agree(pinned[version], value)}
    if changed:
        integrity_changed(upstream, name.full, pinned, changed)
    return Pinning({**offered, **pinned}, adding)


def pin_one(registry_id: int, name: Name, version: str, integrity: str) -> str:
    """The same for one version; what is pinned of it, which may be other bytes: then the caller refuses."""
    return _added(registry_id, name, {version: integrity}).get(version, integrity)


def has_seen_others(pinned: Mapping[str, str], version: Version) -> bool:
    """Whether the registry with these pins first saw other bytes under the number of a held version that is not internal."""
    if version.is_internal:
        return False
    known = pinned.get(version.version, version.integrity)
    return not agree(known, version.integrity) or not agree(known, f"sha1-hex:{version.shasum}")


def _added(registry_id: int, name: Name, offered: Mapping[str, str]) -> dict[str, str]:
    """What was pinned before; with what is new it is pinned now."""
    pinned, adding = _with(statements.rows(*holding(registry_id, name, offered)), offered)
    for text, values in adding:
        statements.run(text, values)
    return pinned


def _with(held: Sequence[Row], offered: Mapping[str, str]) -> tuple[dict[str, str], list[Statement]]:
    """What was pinned before, or has just been as the first, and the statement that adds what is new."""
    pin_id, integrities = held[0]
    pinned: dict[str, str] = parsed(bytes(integrities))
    fresh = {version: value for version, value in offered.items() if version not in pinned}
    return pinned, [(ADD, [orjson.dumps(pinned | fresh), pin_id])] if fresh else []
