"""Push, promote and pull from the pages of a package and of a version."""

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.gate import registry_for
from registries.models import Registry
from upstreams.errors import CredentialsNotLent, InternalVersion
from upstreams.services.outward import check_patterns, goal_for, needs_disclosure, push_out
from upstreams.services.parcels import Order, parcels_of
from upstreams.services.pull import pull as pull_versions
from upstreams.services.push import PRESENT, Outcome, push
from upstreams.services.trades import NPM, TRADES
from web.confirm import Question, ask, is_confirmed
from web.destinations import REGISTRY
from web.doors import door, sent
from workspaces.access import Action, Actor, Target
from workspaces.errors import Conflict, Denied, GatehouseError, Invalid, NotFound, Unavailable

SHOWN = 10  # names in one sentence
TOLD = (Conflict, CredentialsNotLent, Invalid, NotFound, Unavailable)  # said on the page one comes back to


@door("POST")
def push_version(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str, number: str) -> HttpResponse:  # noqa: A002
    """One version to another registry, or out to an upstream."""
    found = registry_for(actor, ws, reg, Action.READ, Target(format, name))
    back = reverse("web:version", args=[ws, reg, format, name, number])
    return _push(request, actor, found, _order(request, format, name, number), back)


@door("POST")
def push_package(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """All versions of a package."""
    found = registry_for(actor, ws, reg, Action.READ, Target(format, name))
    return _push(request, actor, found, _order(request, format, name), reverse("web:package", args=[ws, reg, format, name]))


@door("POST")
def pull(request: HttpRequest, actor: Actor, ws: str, reg: str, format: str, name: str) -> HttpResponse:  # noqa: A002
    """Bring versions in from where the rule lets them come from."""
    found = registry_for(actor, ws, reg, Action.PUBLISH, Target(format, name))
    order = replace(
        _order(request, format, name), versions=tuple(sent(request, "versions").split(",")) if sent(request, "versions") else ()
    )
    order = replace(order, versions=tuple(word.strip() for word in order.versions if word.strip()))
    back = reverse("web:package", args=[ws, reg, format, name])
    return _told(request, back, lambda: pull_versions(actor=actor, registry=found, upstream=sent(request, "upstream"), order=order))


def _push(request: HttpRequest, actor: Actor, found: Registry, order: Order, back: str) -> HttpResponse:
    kind, _colon, where = sent(request, "where").partition(":")
    if kind != REGISTRY:
        return _push_out(request, actor, found, order, where, back)
    target = registry_for(actor, found.workspace.slug, where, Action.PUBLISH, Target(order.trade.format, order.name.full))
    if target.is_public and not found.is_public and not is_confirmed(request):
        question = Question(
            title=_("Push %(what)s to a public registry?") % {"what": _what(order)},
            text=_("Anybody may read %(where)s without signing in; here only members may.") % {"where": target.slug},
            act=_("Push it there"),
            back=back,
        )
        return ask(request, question)
    return _told(request, back, lambda: push(actor=actor, source=found, target=target, order=order))


def _push_out(request: HttpRequest, actor: Actor, found: Registry, order: Order, upstream: str, back: str) -> HttpResponse:
    """Out of the workspace nothing goes unasked; what is internal only when its name was typed."""
    if order.trade is not NPM:
        raise NotFound(_("Modules cannot be published at an upstream."))
    if not actor.may(Action.MANAGE, found):
        raise Denied(_("Only admins and owners send versions to an upstream outside the workspace."))
    disclose = is_confirmed(request, typed=order.name.full)
    try:
        goal, parcels = goal_for(actor, found, upstream), parcels_of(actor, found, order)
        check_patterns(goal, parcels)  # nobody is asked for a yes to what is refused after it
        secret = needs_disclosure(goal, parcels)
    except TOLD as error:
        return _back(request, back, error)
    if not is_confirmed(request) or (secret and not disclose):
        return ask(request, _disclosing(order, upstream, secret, back) if secret else _publishing(order, upstream, back))
    try:
        return _told(
            request, back, lambda: push_out(actor=actor, registry=found, upstream=upstream, order=order, disclose=disclose and bool(secret))
        )
    except InternalVersion:  # it became internal while the person was asked
        return ask(request, _disclosing(order, upstream, [_what(order)], back))


def _publishing(order: Order, upstream: str, back: str) -> Question:
    return Question(
        title=_("Publish %(what)s at %(where)s?") % {"what": _what(order), "where": upstream},
        text=_("It leaves this workspace, and what is published elsewhere can seldom be taken back."),
        act=_("Publish it there"),
        back=back,
    )


def _disclosing(order: Order, upstream: str, secret: list[str], back: str) -> Question:
    named = ", ".join(secret[:SHOWN]) + (" …" if len(secret) > SHOWN else "")
    text = _(
        "%(named)s: internal, and the upstream %(where)s is not. Whoever reads there gets the files, and learns that the name exists; "
        "that cannot be taken back. It is written to the activity log. The name stays internal here."
    )
    return Question(
        title=_("Disclose %(what)s to %(where)s?") % {"what": _what(order), "where": upstream},
        text=text % {"named": named, "where": upstream},
        act=_("Disclose and publish it there"),
        back=back,
        typed=order.name.full,
    )


def _order(request: HttpRequest, format: str, name: str, *versions: str) -> Order:  # noqa: A002 - the address's own word
    """Raises NotFound for a format whose packages stay where they are."""
    trade = TRADES.get(format)
    if trade is None:
        raise NotFound(_("Packages of this format cannot be pushed or pulled yet."))
    return Order(name=trade.parse(name), versions=versions, dependencies=request.POST.get("dependencies") == "on", trade=trade)


def _what(order: Order) -> str:
    return f"{order.name.full}@{order.versions[0]}" if order.versions else order.name.full


def _told(request: HttpRequest, back: str, act: Callable[[], Outcome]) -> HttpResponse:
    """Do it and go back, with what came of it."""
    try:
        outcome = act()
    except InternalVersion:
        raise
    except TOLD as error:
        return _back(request, back, error)
    messages.success(request, _sentence(outcome))
    if outcome.left_out:
        left = ", ".join(f"{one.name} ({one.why})" for one in outcome.left_out[:SHOWN])
        messages.warning(request, _("Left out: %(left)s.") % {"left": left})
    return redirect(back)


def _back(request: HttpRequest, back: str, error: GatehouseError) -> HttpResponse:
    messages.error(request, error.message)
    return redirect(back)


def _sentence(outcome: Outcome) -> str:
    there = sum(one.result == PRESENT for one in outcome.moved)
    new = [f"{one.name}@{one.version}" for one in outcome.moved if one.result != PRESENT]
    where = outcome.goal.rpartition("/")[2]
    if not new:
        return _("Nothing to do: %(where)s has the same bytes already.") % {"where": where}
    named = ", ".join(new) if len(new) <= SHOWN else ngettext("%(n)d version", "%(n)d versions", len(new)) % {"n": len(new)}
    said = ngettext("%(named)s is in %(where)s now.", "%(named)s are in %(where)s now.", len(new)) % {"named": named, "where": where}
    if there:
        said += " " + ngettext("%(n)d version was there already.", "%(n)d versions were there already.", there) % {"n": there}
    return said
