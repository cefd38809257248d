"""The order of a registry's upstreams: by dragging, or one step with the arrows of a row."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from registries.gate import registry_for
from upstreams.services.ordering import OrderOutdated, order_upstreams
from web.doors import door, sent
from workspaces.access import Action, Actor
from workspaces.errors import Invalid


@door("POST")
def order(request: HttpRequest, actor: Actor, ws: str, reg: str) -> HttpResponse:
    """`ids` in the order wanted, of which `up` or `down` names one to move by a place."""
    found = registry_for(actor, ws, reg, Action.MANAGE)
    try:
        order_upstreams(actor=actor, registry=found, ids=_moved(_numbers(sent(request, "ids")), sent(request, "up"), sent(request, "down")))
    except OrderOutdated as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, _("They are asked in this order from now on."))
    return redirect("web:upstreams", ws, reg)


def _numbers(text: str) -> list[int]:
    """Numbers between commas. Raises Invalid."""
    words = text.split(",")
    if len(text) > 10_000 or not all(word.isascii() and word.isdigit() and len(word) < 19 for word in words):  # noqa: PLR2004 - 64 bits
        raise Invalid(_("This is no order of upstreams."), fields={"ids": "numbers"})
    return [int(word) for word in words]


def _moved(ids: list[int], up: str, down: str) -> list[int]:
    """The same with one of them a place earlier (`up`) or later (`down`)."""
    named = next((place for place, number in enumerate(ids) if str(number) == (up or down)), None)
    other = None if named is None else named - 1 if up else named + 1
    if named is not None and other is not None and 0 <= other < len(ids):
        ids[named], ids[other] = ids[other], ids[named]
    return ids
