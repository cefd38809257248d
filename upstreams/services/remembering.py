"""A name an internal source has answered for is internal from then on (RULE.md, sticky internal)."""

from django.db import transaction

from packages.models import Package, Tombstone
from packages.services.epochs import bump_name, hold_name
from packages.services.shadows import tell_of_shadowed
from packages.services.versions import keep_internal
from registries.models import Registry
from upstreams.models import Upstream
from workspaces.services.audit import SYSTEM, record


def remember_internal(registry: Registry, upstream: Upstream, format: str, name: str, folded: str) -> bool:  # noqa: A002 - the field's own word
    """That internal `upstream` has `name`, for `registry` and for the one whose upstream it is; whether it was news to the caller.

    Of many who hear it at once one writes. Those behind find it written and make nothing old: what the first let in stays good.
    """
    places = {registry.pk: registry, upstream.registry_id: upstream.registry}
    if _is_remembered(places, format, folded):
        return False
    with transaction.atomic():
        hold_name(registry.workspace_id, format, folded)
        if not _is_remembered(places, format, folded):
            _write(registry, upstream, places, format, name, folded)
    return True


def _is_remembered(places: dict[int, Registry], format: str, folded: str) -> bool:  # noqa: A002
    return Tombstone.objects.filter(registry__in=list(places), format=format, name=folded).count() == len(places)


def _write(registry: Registry, upstream: Upstream, places: dict[int, Registry], format: str, name: str, folded: str) -> None:  # noqa: A002
    bump_name(registry.workspace_id, format, folded)
    reason = f"internal upstream {upstream.name} answered for it"
    for place in places.values():
        keep_internal(place, format, folded, everywhere=False, reason=reason)
    record(SYSTEM, "tombstone.written", f"{registry} {format} {name}", workspace=registry.workspace_id, new={"upstream": upstream.name})
    for package in Package.objects.select_related("registry__workspace").filter(registry__in=list(places), format=format, name=name):
        tell_of_shadowed(package)
