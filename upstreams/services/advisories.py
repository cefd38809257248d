"""Audits: what public upstreams know against the versions somebody installed, where the registry's switch allows.

A name goes to the one public upstream the rule would ask about it; internal, claimed and buried names go nowhere, nor do
those the rule cannot tell of, nor those the caller may not read. What leaves is names and version numbers: no tree, no
project, no credential of the caller's. Trouble is told in a notice and never as an error: an install must not fail by it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from packages.formats.npm.advisories import Advisories, Node, Versions, flat_trees, from_bulk, from_quick, merge, quick_report, versions_in
from registries.models import Registry
from upstreams.clients.questions import ask_audit
from upstreams.errors import RuleChanged, UpstreamError
from upstreams.models import Upstream
from upstreams.services.outgoing import Survey, limited, survey_asking, switch_holds, trouble
from upstreams.services.troubles import tell_of_trouble
from workspaces.access import Action, Actor, Target
from workspaces.room import release_connection

BULK, QUICK = "/-/npm/v1/security/advisories/bulk", "/-/npm/v1/security/audits/quick"
TURNS = 4  # questions in the quick form to one upstream: as many versions of one name
OFF = "Nothing was audited: auditing is off in this registry. An admin can turn it on in the registry's settings."


@dataclass
class Told:
    """What is known, and what to tell the one who asked."""

    advisories: Advisories = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


def audit(*, actor: Actor, registry: Registry, wanted: Versions) -> Told:
    """What is known against these versions. Raises nothing of an upstream's trouble."""
    told = Told()
    if not registry.audit_upstream:
        told.notices.append(OFF)
        return told
    names = [name for name in wanted if actor.may(Action.READ, registry, Target("npm", name))]
    try:
        found = survey_asking(registry, names)
    except UpstreamError as error:
        told.notices.append(f"Nothing was audited: {trouble(error)}")
        return told
    _tell_of_unknown(told, found)
    for upstream, group in _groups(found, names):
        if not switch_holds(upstream.registry, "audit_upstream"):
            told.notices.append(f"{len(group)} packages were not audited: they come through {upstream.registry}, where auditing is off.")
            continue
        _ask(told, found, upstream, {name: wanted[name] for name in group})
    return told


def audit_tree(*, actor: Actor, registry: Registry, nodes: Sequence[Node]) -> tuple[dict[str, Any], list[str]]:
    """The report on a lock tree in npm's older form, and the notices."""
    told = audit(actor=actor, registry=registry, wanted=versions_in(nodes))
    return quick_report(nodes, told.advisories), told.notices


def _groups(found: Survey, names: Iterable[str]) -> list[tuple[Upstream, list[str]]]:
    """Each public upstream with the names it is the one to be asked about."""
    groups: dict[int, tuple[Upstream, list[str]]] = {}
    for name in names:
        upstream = found.asker(name)
        if upstream is not None:
            groups.setdefault(upstream.pk, (upstream, []))[1].append(name)
    return list(groups.values())


def _tell_of_unknown(told: Told, found: Survey) -> None:
    unknown = found.unknown()
    if unknown:
        told.notices.append(f"{len(unknown)} packages were not audited: an internal upstream has not said whether they are its own.")


def _ask(told: Told, found: Survey, upstream: Upstream, wanted: Versions) -> None:
    """Ask one upstream, in the form it has; what was decided is checked again when the connection stands."""
    check = found.still_holds(list(wanted))

    def before_send() -> None:
        check()
        if not all(switch_holds(place, "audit_upstream") for place in (found.registry, upstream.registry)):
            raise RuleChanged("Auditing was turned off just now.", upstream=upstream.name, retry_after=1)
        release_connection()

    try:
        answer = ask_audit(limited(upstream, BULK), orjson.dumps(wanted), before_send=before_send)
        if answer is not None:
            merge(told.advisories, from_bulk(answer, wanted))
            return
        for turn, body in enumerate(flat_trees(wanted)):
            answer = ask_audit(limited(upstream, QUICK), body, before_send=before_send) if turn < TURNS else None
            if answer is None:
                told.notices.append(f"Not all was audited: upstream {upstream.name} has no answer to audits.")
                return
            merge(told.advisories, from_quick(answer, wanted))
    except UpstreamError as error:
        tell_of_trouble(upstream, error, "audit")
        told.notices.append(f"Not all was audited: {trouble(error)}")
