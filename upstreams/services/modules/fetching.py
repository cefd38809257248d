"""Pulling modules on purpose: mirroring a name now, by the rule, and answered when it is done (`upstreams.services.pull` for npm)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from packages.errors import VersionNotFound
from packages.formats.moonbit.index import Entry, dependencies_of
from packages.formats.moonbit.names import Name, parse_name
from packages.formats.npm.ranges import EVERY
from packages.models import Version
from packages.selectors import UNSHADOWED
from registries.models import Registry
from upstreams.errors import RuleChanged, SourceAbsent, UpstreamError, UpstreamUnreachable
from upstreams.models import Upstream
from upstreams.services.hauls import (
    Haul,
    check_may_read,
    check_nearest,
    check_number,
    chosen_by,
    lacks,
    named_upstream,
    not_allowed,
    paths_outside,
    reasoned,
    tell_of_pull,
)
from upstreams.services.modules.chained import fetch_behind, offered_behind
from upstreams.services.modules.consult import index_of
from upstreams.services.modules.pins import FORMAT
from upstreams.services.modules.pull import Pull
from upstreams.services.modules.resolve import OtherSource, Resolution, judge, peek, resolve
from upstreams.services.parcels import TRIES, LeftOut, Order
from upstreams.services.push import PRESENT, PULLED, Moved, Outcome
from upstreams.services.trades import meant_of_modules, newest_standing
from upstreams.terms import Kind, Path
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied

Fresh = Mapping[int, datetime]  # by upstream, since when its answers count


@dataclass(frozen=True)
class Offering:
    """What the sources of a name have beyond the registry itself: by number the path it comes by, and its line."""

    resolution: Resolution
    entries: Mapping[str, tuple[Path, Entry]]


@dataclass(frozen=True)
class Taken:
    """A version that is here now, and the least versions it needs."""

    moved: Moved
    needed: Mapping[str, str]


def pull_modules(*, actor: Actor, registry: Registry, upstream: str, order: Order) -> Outcome:
    """Bring versions of a module into `registry`: exactly those, with the flag their source gives them.

    What they depend on comes along only if asked for; what of that cannot come is told, and holds nothing else up.
    Raises Denied, UpstreamNotFound, UpstreamDisabled, SourceNotAllowed, VersionNotFound, SourceAbsent, UpstreamError.
    """
    name = parse_name(order.name.full)
    if not actor.may(Action.PUBLISH, registry, Target(FORMAT, name.full)):
        raise Denied(f"{actor.name or 'This token'} may not pull {name.full} into {registry}.")
    source = named_upstream(registry, upstream, FORMAT) if upstream else None
    fresh, haul = _anew(registry), Haul()
    offering = _offering(registry, name, source, fresh)
    taken = [_take(actor, offering, number, source) for number in _asked_for(offering, order)]
    while taken:
        haul.take([one.moved for one in taken])
        taken = _follow(actor, registry, haul, taken, fresh) if order.dependencies else []
    tell_of_pull(actor, registry, upstream, order, haul)
    return Outcome(origin=upstream, goal=str(registry), moved=haul.moved, left_out=haul.left_out)


def _anew(registry: Registry) -> Fresh:
    """Whoever is asked, here or behind, is asked once after this moment."""
    everybody = Upstream.objects.filter(registry__workspace_id=registry.workspace_id, format=FORMAT).values_list("pk", flat=True)
    return dict.fromkeys(everybody, timezone.now())


@reasoned()
def _offering(registry: Registry, name: Name, source: Upstream | None = None, fresh: Fresh | None = None) -> Offering:
    """Everything the rule lets in from outside the registry, or from `source` alone. Raises SourceNotAllowed.

    What an internal `source` does not have may still be its own: then nobody else is asked either.
    """
    if source is not None and source.is_internal and judge(registry, name, fresh=fresh).is_internal is False:
        nobody = SourceAbsent(f"Upstream {source.name} does not have {name.full}, and nobody else was asked.")
        raise not_allowed(registry, name, peek(registry, name).decision, source, nobody)
    try:
        resolution = resolve(registry, name, fresh=fresh)
    except SourceAbsent as absent:
        if source is not None:
            raise not_allowed(registry, name, peek(registry, name).decision, source, lacks(source, name, absent.why)) from None
        raise
    paths_outside(registry, name, resolution.decision, source)  # raises where there is none
    return Offering(resolution, _entries(resolution))


def _entries(resolution: Resolution) -> dict[str, tuple[Path, Entry]]:
    """By number; nearer ones win."""
    paths = [path for path in resolution.decision.answering if path]
    is_behind = any(resolution.situation.upstreams[path[-1]].kind == Kind.REGISTRY for path in paths)
    behind = offered_behind(resolution.registry, resolution.name) if is_behind else {}
    found: dict[str, tuple[Path, Entry]] = {}
    for path in reversed(paths):
        document = resolution.offered_at(path)
        listed = index_of(document, resolution.name).entries if document is not None else ()
        found |= {number: one for number, one in behind.items() if one[0] == path}
        found |= {entry.version: (path, entry) for entry in listed}
    return found


def _asked_for(offering: Offering, order: Order) -> list[str]:
    """The versions that words mean among those offered; withdrawn ones by their number alone. Raises VersionNotFound, Invalid."""
    withdrawn = {number: entry.is_yanked for number, (_, entry) in offering.entries.items()}
    standing = [number for number, is_yanked in withdrawn.items() if not is_yanked]
    tags = newest_standing(withdrawn)

    def meant_by(word: str) -> list[str]:
        return meant_of_modules(word, standing if word == EVERY else withdrawn, tags)

    return chosen_by(order, offering.resolution.registry, meant_by)


def _take(actor: Actor, offering: Offering, number: str, source: Upstream | None = None) -> Taken:
    """Bring one version in, unless it is here. Raises SourceNotAllowed, Denied, UpstreamError."""
    resolution = offering.resolution
    name, (path, entry) = resolution.name, offering.entries[number]
    if source is not None:
        check_nearest(resolution.situation.upstreams, path, source, f"{name.full}@{number}")
    held = _held(resolution, number)
    came = held or _bring(actor, offering, number)
    return Taken(Moved(name.full, number, PRESENT if held else PULLED, came.is_internal, came.integrity), entry.dependencies)


def _held(resolution: Resolution, number: str) -> Version | None:
    """The version that the registry holds, if it may be seen."""
    found = _rows(resolution)
    return (found if resolution.decision.shows_pulled else found.filter(UNSHADOWED)).filter(version=number).first()


def _rows(resolution: Resolution) -> QuerySet[Version]:
    return Version.objects.filter(package__registry=resolution.registry, package__format=FORMAT, package__name=resolution.name.full)


def _bring(actor: Actor, offering: Offering, number: str) -> Version:
    """Along its path, until the version is here. Raises Denied, UpstreamError."""
    for _ in range(TRIES):
        resolution = offering.resolution
        registry, name, (path, entry) = resolution.registry, resolution.name, offering.entries[number]
        links = [resolution.situation.upstreams[pk] for pk in path]
        check_may_read(actor, links, Target(FORMAT, name.full))
        try:
            _fetch(resolution, links, entry)
            found = _rows(resolution).filter(version=number).first()
            if found is not None:
                return found
        except RuleChanged:
            pass
        offering = _offering(registry, name)
        if number not in offering.entries:
            raise VersionNotFound(f"No source of {registry} has a version {number[:80]} of {name.full}.")
    raise UpstreamUnreachable(f"{number[:80]} could not be pulled; nothing of it was kept. Try again.", retry_after=5)


def _fetch(resolution: Resolution, links: Sequence[Upstream], entry: Entry) -> None:
    upstream = links[-1]
    if len(links) > 1 or upstream.kind == Kind.REGISTRY:
        fetch_behind(resolution.registry, upstream, resolution.name, entry)
        return
    upstream.registry = resolution.registry
    Pull(resolution, upstream, entry).run()


def _follow(actor: Actor, registry: Registry, haul: Haul, taken: Sequence[Taken], fresh: Fresh) -> list[Taken]:
    """The least versions that these need and that were not followed before, one after the other."""
    needed = dict.fromkeys((name, wanted) for one in taken for name, wanted in one.needed.items())
    found: list[Taken] = []
    for full, wanted in needed:
        if (full, wanted) in haul.seen:
            continue
        check_number(len(haul.seen), "dependencies")
        haul.seen.add((full, wanted))
        try:
            found.append(_needed(actor, registry, parse_name(full), wanted, fresh))
        except (UpstreamError, SourceAbsent, OtherSource, VersionNotFound, Denied) as error:
            haul.left_out.append(LeftOut(full, wanted, error.message))
    return found


@reasoned()
def _needed(actor: Actor, registry: Registry, name: Name, wanted: str, fresh: Fresh) -> Taken:
    """Of what the registry would show, its own versions included. Raises Denied, VersionNotFound, SourceAbsent, UpstreamError."""
    if not actor.may(Action.READ, registry, Target(FORMAT, name.full)):
        raise Denied(f"{actor.name or 'This token'} may not read {name.full}.")
    resolution = resolve(registry, name, fresh=fresh)
    held = _held(resolution, wanted)
    if held is not None:
        return Taken(Moved(name.full, wanted, PRESENT, held.is_internal, held.integrity), dependencies_of(bytes(held.manifest)))
    offering = Offering(resolution, _entries(resolution))
    if wanted not in offering.entries:
        raise VersionNotFound(f"no source has {name.full}@{wanted}")
    return _take(actor, offering, wanted)
