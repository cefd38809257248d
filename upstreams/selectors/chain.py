"""Registries behind a registry: what is reached through its enabled links, each once."""

from collections.abc import Iterator, Sequence

from registries.models import Registry, RestrictedName
from upstreams.selectors.facts import DEPTH, Ground
from workspaces.access import matches

Within = tuple[Sequence[str], ...]  # the patterns of each limited link on the way: a name has to fit all


def reached(registry: Registry, ground: Ground) -> Iterator[tuple[Registry, Within]]:
    """The registry itself and those behind it, nearest first."""
    seen, queue = {registry.pk}, [(registry, Within())]
    while queue:
        place, within = queue.pop(0)
        yield place, within
        for link in ground.upstreams.get(place.pk, ()):
            if link.is_enabled and link.source is not None and link.source.pk not in seen and len(seen) < DEPTH:
                seen.add(link.source.pk)
                queue.append((link.source, (*within, link.patterns) if link.patterns else within))


def behind_of(registry: Registry, ground: Ground) -> dict[int, Registry]:
    """The registry itself and all that enabled links lead to, by number, whatever the name."""
    found, queue = {registry.pk: registry}, [registry.pk]
    while queue:
        for link in ground.upstreams.get(queue.pop(0), ()):
            if link.is_enabled and link.source is not None and link.source.pk not in found:
                found[link.source.pk] = link.source
                queue.append(link.source.pk)
    return found


def is_restricted_behind(registry: Registry, format: str, name: str) -> bool:  # noqa: A002 - the field's own word
    """Whether a registry behind this one shows the name (as written) to members only, and may be asked about it."""
    places = reached(registry, Ground.read(registry.workspace_id, format))
    fitting = [place.pk for place, within in places if all(any(matches(p, name.lower()) for p in patterns) for patterns in within)]
    return RestrictedName.objects.filter(registry__in=fitting, format=format, name=name).exists()
