"""The order in which a registry asks its upstreams."""

from collections.abc import Sequence

from django.db import transaction

from registries.models import Registry
from upstreams.errors import UpstreamInvalid
from upstreams.models import Upstream
from workspaces.access import Action, Actor
from workspaces.errors import Conflict, Denied
from workspaces.services.audit import record
from workspaces.services.spaces import bump_rules

STEP = 10  # between two priorities, so that one can be put between by hand


class OrderOutdated(Conflict):
    """The upstreams are others than those that were put in order; nothing was changed."""

    code = "order_outdated"


@transaction.atomic
def order_upstreams(*, actor: Actor, registry: Registry, ids: Sequence[int]) -> list[Upstream]:
    """Ask the upstreams in the order of `ids`, which names each of them once: priorities 10, 20, 30 …; one event.

    Raises Denied, UpstreamInvalid (an id twice), OrderOutdated (one is missing, or not of this registry).
    """
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners change upstreams.")
    if len(set(ids)) != len(ids):
        raise UpstreamInvalid("Each upstream is named once.", fields={"ids": "repeated"})
    bump_rules(registry.workspace_id)
    rows = {row.pk: row for row in Upstream.objects.select_for_update().filter(registry=registry).order_by("priority", "id")}
    if rows.keys() != set(ids):
        raise OrderOutdated("The upstreams were changed meanwhile; look again and put them in order then.")
    old = [row.name for row in rows.values()]
    for place, pk in enumerate(ids, 1):
        rows[pk].priority = place * STEP
    Upstream.objects.bulk_update(rows.values(), ["priority"])
    new = [rows[pk].name for pk in ids]
    if new != old:
        record(actor, "upstreams.ordered", str(registry), workspace=registry.workspace_id, old={"order": old}, new={"order": new})
    return [rows[pk] for pk in ids]
