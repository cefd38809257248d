"""Deleting versions, where what upstreams promised of them has a say."""

import orjson
from django.db import transaction

from packages.formats.npm.names import parse_known
from packages.models import Format, Version
from packages.services import versions
from registries.models import Registry
from upstreams.memory import parsed
from upstreams.models import Pin
from upstreams.services.modules.explain import module_decision
from upstreams.services.resolve import peek
from workspaces.access import Actor


@transaction.atomic
def unpublish_version(*, actor: Actor, registry: Registry, format: str, name: str, version: str) -> None:  # noqa: A002 - the field's own word
    """Delete one version. Deleting a shadowed one frees its number: what was promised of its bytes is forgotten with it.

    Raises what `packages.services.versions.unpublish_version` raises.
    """
    frees = _is_shadowed(registry, format, name, version)
    versions.unpublish_version(actor=actor, registry=registry, format=format, name=name, version=version)
    if frees:
        _forget_pin(registry, format, name, version)


def _is_shadowed(registry: Registry, format: str, name: str, version: str) -> bool:  # noqa: A002
    found = Version.objects.filter(
        package__registry=registry,
        package__format=format,
        package__name=name,
        version=version,
        origin=Version.Origin.PULLED,
        is_internal=False,
    )
    if format == Format.MOONBIT:
        return found.exists() and bool(module_decision(registry, name).is_internal)
    return format == Format.NPM and found.exists() and bool(peek(registry, parse_known(name)).decision.is_internal)


def _forget_pin(registry: Registry, format: str, name: str, version: str) -> None:  # noqa: A002
    pin = Pin.objects.select_for_update().filter(registry=registry, format=format, name=name).first()
    if pin is not None:
        kept: dict[str, str] = parsed(bytes(pin.integrities))
        kept.pop(version, None)
        pin.integrities = orjson.dumps(kept)
        pin.save(update_fields=["integrities"])
