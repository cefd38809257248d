"""The trace of the rule for a module, in the words of `upstreams.services.explain`."""

from django.db.models import QuerySet

from packages.formats.moonbit.names import Name, parse_name
from packages.formats.moonbit.versions import sort_key
from packages.models import Format, Version
from packages.selectors import UNSHADOWED
from registries.models import Registry
from upstreams.services.modules.consult import index_of
from upstreams.services.modules.resolve import Resolution, peek, resolve
from upstreams.services.trace import traced
from upstreams.terms import Decision


def explain_module(registry: Registry, text: str, *, ask: bool = False) -> dict[str, object]:
    """The trace, JSON-ready. Nobody is asked anything unless `ask`. Raises NameInvalid; with `ask` RuleChanged."""
    name = parse_name(text)
    resolution = resolve(registry, name, is_told=True) if ask else peek(registry, name)
    decision = resolution.decision
    return {
        "name": name.full,
        "internal": decision.is_internal,
        "clause": decision.clause,
        "outcome": decision.outcome.value,
        "blocked_by": decision.blocked_by,
        "sources": [traced(resolution.situation, step) for step in decision.steps],
        "versions": _versions(resolution, name),
        "shadowed": _shadowed(resolution),
    }


def module_decision(registry: Registry, text: str) -> Decision:
    """The decision by what is known. Raises NameInvalid."""
    return peek(registry, parse_name(text)).decision


def _versions(resolution: Resolution, name: Name) -> dict[str, str]:
    """Which source each version comes from; nearer ones win."""
    found: dict[str, str] = {}
    for path in reversed(resolution.decision.answering):
        if not path:
            found |= dict.fromkeys(_shown(resolution.registry, resolution).values_list("version", flat=True), str(resolution.registry))
        elif (source := resolution.situation.upstreams[path[-1]].source) is not None:
            found |= dict.fromkeys(_shown(source, resolution).values_list("version", flat=True), str(source))
        elif (document := resolution.offered_at(path)) is not None:
            label = resolution.situation.upstreams[path[-1]].name
            found |= {entry.version: label for entry in index_of(document, name).entries}
    return dict(sorted(found.items(), key=lambda pair: sort_key(pair[0])))


def _shadowed(resolution: Resolution) -> list[str]:
    """Versions this registry pulled earlier and hides now."""
    held = _held(resolution.registry, resolution)
    hidden = held.none() if resolution.decision.shows_pulled else held.exclude(UNSHADOWED)
    return sorted(hidden.values_list("version", flat=True), key=sort_key)


def _shown(registry: Registry, resolution: Resolution) -> QuerySet[Version]:
    held = _held(registry, resolution)
    return held if resolution.decision.shows_pulled else held.filter(UNSHADOWED)


def _held(registry: Registry, resolution: Resolution) -> QuerySet[Version]:
    return Version.objects.filter(package__registry=registry, package__format=Format.MOONBIT, package__name=resolution.name.full)
