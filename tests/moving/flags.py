"""Changing the flags of versions and registries."""

from typing import Any

from packages.services.versions import set_internal
from registries.services import Changes
from tests.moving.street import Street
from upstreams.services.settings import change_registry


def untick(street: Street, name: str, version: str = "1.0.0", at: str = "main") -> None:
    actor, registry = street.team.actor("alice"), street.registries[at]
    set_internal(actor=actor, registry=registry, format="npm", name=name, version=version, internal=False)


def flag(street: Street, of: str, **changes: Any) -> None:
    street.registries[of] = change_registry(actor=street.team.actor("alice"), registry=street.registries[of], changes=Changes(**changes))
