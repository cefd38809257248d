"""`push/` and `pull/`: versions on their way between registries and upstreams; answered when the work is done."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from api.base import Door
from api.errors import NotYet
from api.names import format_named
from api.schema import described
from api.serializers.moving import OutcomeShown, PullOrder, PushOrder
from registries.gate import RegistryMoved, registry_for
from registries.models import Registry
from upstreams.services.outward import push_out
from upstreams.services.parcels import Order
from upstreams.services.pull import pull
from upstreams.services.push import push
from upstreams.services.trades import NPM, TRADES
from workspaces.access import Action, Actor, Target


class PushView(Door):
    """`push/`."""

    @described("push_create", body=PushOrder, returns=OutcomeShown, outside=True)
    def post(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Send versions on to another registry of the workspace, all or none, or publish them at an upstream (admins).

        An internal version leaves for an upstream that is not internal only with `disclose`: else 409 `internal_version`.
        """
        registry_for(self.actor, ws, reg, Action.READ)
        values = self.read(PushOrder)
        order = _order(values)
        target = Target(order.trade.format, order.name.full)
        if "to" in values:
            source = registry_for(self.actor, ws, reg, Action.READ, target)
            outcome = push(actor=self.actor, source=source, target=_goal(self.actor, ws, values["to"], target), order=order)
        else:
            source = registry_for(self.actor, ws, reg, Action.MANAGE, target)
            _check_leaves(order)
            outcome = push_out(actor=self.actor, registry=source, upstream=values["to_upstream"], order=order, disclose=values["disclose"])
        return Response(OutcomeShown(outcome).data)


class PullView(Door):
    """`pull/`."""

    @described("pull_create", body=PullOrder, returns=OutcomeShown, outside=True)
    def post(self, request: Request, ws: str, reg: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Bring versions in from where the rule lets them come from; with `upstream` from there, or 409 with the clause."""
        registry_for(self.actor, ws, reg, Action.READ)
        values = self.read(PullOrder)
        order = _order(values)
        registry = registry_for(self.actor, ws, reg, Action.PUBLISH, Target(order.trade.format, order.name.full))
        outcome = pull(actor=self.actor, registry=registry, upstream=values.get("upstream", ""), order=order)
        return Response(OutcomeShown(outcome).data)


def _order(values: dict[str, Any]) -> Order:
    """What is wanted. Raises NotFound for a word that is no format, NameInvalid."""
    trade = TRADES.get(format_named(values["format"]))
    if trade is None:
        raise NotYet(f"Packages of format “{values['format']}” cannot be pushed or pulled yet.")
    versions = tuple(values.get("versions", ()))
    return Order(name=trade.parse(values["name"]), versions=versions, dependencies=values["dependencies"], trade=trade)


def _check_leaves(order: Order) -> None:
    """Raises NotYet for what cannot be published at an upstream."""
    if order.trade is not NPM:
        raise NotYet("Modules cannot be published at an upstream: its index is read, and has no way in. Let it mirror from this registry.")


def _goal(actor: Actor, ws: str, slug: str, target: Target) -> Registry:
    """The registry to push to, also by a slug it had before: the address asked is that of the source, which did not move."""
    try:
        return registry_for(actor, ws, slug, Action.PUBLISH, target)
    except RegistryMoved as error:
        return error.registry
