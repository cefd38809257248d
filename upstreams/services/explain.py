"""The trace of the rule, for people: REST `resolution`, the page "Why this version?", `manage.py explain`."""

from packages.errors import VersionNotFound
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.versions import sort_key
from packages.models import Version
from registries.models import Registry
from upstreams.models import Origin
from upstreams.services.consult import load
from upstreams.services.modules.explain import explain_module
from upstreams.services.pulls import offered_versions
from upstreams.services.renderings import unshadowed_versions, versions_shown
from upstreams.services.resolve import Resolution, peek, resolve
from upstreams.services.trace import traced


def explain(registry: Registry, format: str, name: str, *, ask: bool = False) -> dict[str, object]:  # noqa: A002
    """The trace, JSON-ready. Nobody is asked anything unless `ask`; then as an install would, whatever comes of it.

    Raises NameInvalid, VersionNotFound for a format without upstreams yet; with `ask` also RuleChanged.
    """
    if format == "moonbit":
        return explain_module(registry, name, ask=ask)
    if format != "npm":
        raise VersionNotFound(f"There is no trace for packages of format {format[:20]} yet.")
    parsed = parse_known(name)
    resolution = resolve(registry, parsed, is_told=True) if ask else peek(registry, parsed)
    decision = resolution.decision
    return {
        "name": parsed.full,
        "internal": decision.is_internal,
        "clause": decision.clause,
        "outcome": decision.outcome.value,
        "blocked_by": decision.blocked_by,
        "sources": [traced(resolution.situation, step) for step in decision.steps],
        "versions": _versions(resolution, parsed),
        "shadowed": _shadowed(resolution),
    }


def _versions(resolution: Resolution, name: Name) -> dict[str, str]:
    """Which source each version comes from; nearer ones win."""
    found: dict[str, str] = {}
    shows_pulled = resolution.decision.shows_pulled
    for path in reversed(resolution.decision.answering):
        registry = resolution.registry_at(path)
        if registry is not None:
            held = versions_shown(registry, name, shows_pulled=shows_pulled).values_list("version", flat=True)
            found |= dict.fromkeys(held, str(registry))
            continue
        if (document := resolution.offered_at(path)) is not None:
            label = resolution.situation.upstreams[path[-1]].name
            found |= {offer.version: label for offer in offered_versions(load(document), name)}
    return dict(sorted(found.items(), key=lambda pair: sort_key(pair[0])))


def _shadowed(resolution: Resolution) -> list[str]:
    """Versions this registry pulled earlier and hides now."""
    held = Version.objects.filter(package__registry=resolution.registry, package__format="npm", package__name=resolution.name.full)
    return sorted(held.exclude(pk__in=unshadowed_versions(resolution)).values_list("version", flat=True), key=sort_key)


def origin_of(version: Version) -> str:
    """The name of the upstream a pulled version came from, or ''."""
    return Origin.objects.filter(version=version).values_list("upstream_name", flat=True).first() or ""
