"""The dist-tags that a client is shown, and whose they are: the registry's own, or those of an upstream as it said them last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from packages.formats.npm.names import Name
from packages.formats.npm.packument import Held, Shown, compose
from packages.models import Tag, Version
from registries.models import Registry
from upstreams.services.consult import sent_by
from upstreams.services.documents import composed
from upstreams.services.layers import layers
from upstreams.services.resolve import Resolution

LATEST = "latest"


@dataclass(frozen=True, kw_only=True)
class TagShown:
    """A tag of a package. `source`: the upstream or chained registry it comes from, '' for this registry's own."""

    name: str
    version: str
    source: str = ""
    said_at: datetime | None = None
    is_here: bool = True


def tags_shown(resolution: Resolution) -> list[TagShown]:
    """By name, `latest` first, for this decision, which may be one by what is known; nobody is asked."""
    registry, name = resolution.registry, resolution.name
    own, outside = dict(_own(registry, name)), _outside(resolution)
    shown = _composed(resolution, own, outside) if outside else own
    rows = Version.objects.filter(package__registry=registry, package__format="npm", package__name=name.full)
    held = set(rows.filter(version__in=shown.values()).values_list("version", flat=True)) if outside else set(shown.values())
    tags = [_tag(tag, version, own, outside, is_here=version in held) for tag, version in shown.items()]
    return sorted(tags, key=lambda tag: (tag.name != "latest", tag.name))


@dataclass(frozen=True)
class _Said:
    label: str
    tags: Mapping[str, object]
    at: datetime | None


def _composed(resolution: Resolution, own: Mapping[str, str], outside: list[_Said]) -> Mapping[str, str]:
    """As the packument has them. Only the versions that are tagged are looked at, unless `latest` has to be sought among all."""
    tagged = {version for tags in (own, *(one.tags for one in outside)) for version in tags.values() if isinstance(version, str)}
    found = layers(resolution, tagged)
    shown = compose(Shown(name=resolution.name, revision="", layers=found))
    said = [layer.tags if isinstance(layer, Held) else layer.document["dist-tags"] for layer in found]
    latest = next((tags[LATEST] for tags in said if isinstance(tags.get(LATEST), str)), None)
    tags: Mapping[str, str] = shown["dist-tags"] if latest in shown["versions"] else composed(resolution)["dist-tags"]
    return tags


def _tag(tag: str, version: str, own: Mapping[str, str], outside: list[_Said], *, is_here: bool) -> TagShown:
    if own.get(tag) == version:
        return TagShown(name=tag, version=version, is_here=is_here)
    said = next((one for one in outside if one.tags.get(tag) == version), None)
    return TagShown(name=tag, version=version, source=said.label if said else "", said_at=said.at if said else None, is_here=is_here)


def _outside(resolution: Resolution) -> list[_Said]:
    """What the other sources that answer tag, the nearest first."""
    found: list[_Said] = []
    for path in resolution.decision.answering:
        registry = resolution.registry_at(path)
        if path and registry is not None:
            found.append(_Said(str(registry), dict(_own(registry, resolution.name)), None))
        elif (document := resolution.offered_at(path)) is not None:
            label = resolution.situation.upstreams[path[-1]].name
            document.sent = sent_by(document)  # looked into once more below, and gone with the page
            found.append(_Said(label, document.sent.tags, document.fetched_at))
    return found


def _own(registry: Registry, name: Name) -> list[tuple[str, str]]:
    rows = Tag.objects.filter(package__registry=registry, package__format="npm", package__name=name.full)
    return list(rows.order_by("name").values_list("name", "version__version"))
