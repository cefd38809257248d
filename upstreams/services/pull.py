"""Pulling versions on purpose: what an install would bring, without the install. By the rule, as everything.

Each name is decided by `resolve`, each file comes by `open_file`; a named upstream that the rule does not let answer is
refused with the clause, and nobody else is taken instead.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from django.db import connection
from django.utils import timezone

from packages.errors import VersionNotFound
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.packument import Manifest
from packages.formats.npm.ranges import Dependency, dependencies_of, meant_by, picked
from packages.models import Version
from registries.models import Registry
from upstreams.errors import RuleChanged, SourceAbsent, UpstreamError, UpstreamUnreachable
from upstreams.models import Upstream
from upstreams.services.consult import load, outdate
from upstreams.services.documents import composed
from upstreams.services.files import open_file
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
from upstreams.services.modules.fetching import pull_modules
from upstreams.services.parcels import TRIES, LeftOut, Order
from upstreams.services.pulls import offered_versions
from upstreams.services.push import PRESENT, PULLED, Moved, Outcome
from upstreams.services.renderings import unshadowed_versions, versions_shown
from upstreams.services.resolve import Resolution, judge, peek, resolve
from upstreams.services.trades import MODULES, NPM
from upstreams.spool import SpoolBroken, Tail
from upstreams.terms import Path
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied
from workspaces.room import release_connection

AT_THE_SAME_TIME = 8  # dependencies asked about, and files fetched
PIECE = 1024 * 1024
POLL = 0.01  # seconds

T = TypeVar("T")


@dataclass(frozen=True)
class Offering:
    """What the sources of a name have beyond the registry itself: versions with the path each comes by, tags, manifests."""

    resolution: Resolution
    paths: Mapping[str, Path]
    packument: Manifest

    @property
    def tags(self) -> Mapping[str, str]:
        """The tags as the registry would show them if it held nothing itself."""
        tags: Mapping[str, str] = self.packument["dist-tags"]
        return tags


def pull(*, actor: Actor, registry: Registry, upstream: str, order: Order) -> Outcome:
    """Bring versions of a name into `registry`, whatever their format. Raises what `pull_npm` and `pull_modules` raise."""
    ways = {NPM.format: pull_npm, MODULES.format: pull_modules}
    return ways[order.trade.format](actor=actor, registry=registry, upstream=upstream, order=order)


def pull_npm(*, actor: Actor, registry: Registry, upstream: str, order: Order) -> Outcome:
    """Bring versions of an npm package into `registry`: exactly those, with the flag their source gives them.

    What they depend on comes along only if asked for; what of that cannot come is told, and holds nothing else up.
    Raises Denied, UpstreamNotFound, UpstreamDisabled, SourceNotAllowed, VersionNotFound, SourceAbsent, UpstreamError.
    """
    if not actor.may(Action.PUBLISH, registry, Target("npm", order.name.full)):
        raise Denied(f"{actor.name or 'This token'} may not pull {order.name.full} into {registry}.")
    source = named_upstream(registry, upstream, "npm") if upstream else None
    offering, numbers = _sought(registry, source, order)
    haul = Haul()
    taken = [_take(actor, offering, number, source) for number in numbers]
    while taken:
        haul.take([one.moved for one in taken])
        taken = _follow(actor, registry, haul, taken) if order.dependencies else []
    tell_of_pull(actor, registry, upstream, order, haul)
    return Outcome(origin=upstream, goal=str(registry), moved=haul.moved, left_out=haul.left_out)


@reasoned()
def _sought(registry: Registry, source: Upstream | None, order: Order) -> tuple[Offering, list[str]]:
    """What there is and which of it is meant; what is not there by answers of before is looked for once more by new ones.

    Whoever asks for a version by its number knows that it is out by now.
    """
    name, began = parse_known(order.name.full), timezone.now()
    try:
        offering = _offering(registry, name, source)
        return offering, _asked_for(offering, order)
    except (VersionNotFound, SourceAbsent):
        if not outdate(registry, name, began):
            raise
    offering = _offering(registry, name, source)
    return offering, _asked_for(offering, order)


def _offering(registry: Registry, name: Name, source: Upstream | None) -> Offering:
    """Everything the rule lets in from outside the registry, or from `source` alone. Raises SourceNotAllowed.

    What an internal `source` does not have may still be its own: then nobody else is asked either.
    """
    if source is not None and source.is_internal and judge(registry, name).is_internal is False:
        nobody = SourceAbsent(f"Upstream {source.name} does not have {name.full}, and nobody else was asked.")
        raise not_allowed(registry, name, peek(registry, name).decision, source, nobody)
    try:
        resolution = resolve(registry, name)
    except SourceAbsent as absent:
        if source is not None:
            raise not_allowed(registry, name, peek(registry, name).decision, source, lacks(source, name, absent.why)) from None
        raise
    paths = paths_outside(registry, name, resolution.decision, source)
    beyond = Resolution(registry, name, resolution.situation, replace(resolution.decision, answering=tuple(paths)))
    return Offering(resolution, _whence(resolution) if source is not None else _by_links(resolution), composed(beyond))


def _by_links(resolution: Resolution) -> dict[str, Path]:
    """The same where a registry is gone through, whose readers are asked for; else nobody wants to know, and documents are large."""
    return _whence(resolution) if any(resolution.links_on(path) for path in resolution.decision.answering) else {}


def _whence(resolution: Resolution) -> dict[str, Path]:
    """The path each version comes by; nearer ones win."""
    found: dict[str, Path] = {}
    for path in reversed([path for path in resolution.decision.answering if path]):
        registry = resolution.registry_at(path)
        document = resolution.offered_at(path)
        if registry is not None:
            held = versions_shown(registry, resolution.name, shows_pulled=resolution.decision.shows_pulled)
            found.update(dict.fromkeys(held.values_list("version", flat=True), path))
        elif document is not None:
            found.update({offer.version: path for offer in offered_versions(load(document), resolution.name)})
    return found


def _asked_for(offering: Offering, order: Order) -> list[str]:
    """The versions that words mean among those offered. Raises VersionNotFound, Invalid."""
    offered, tags = offering.packument["versions"], offering.tags
    return chosen_by(order, offering.resolution.registry, lambda word: meant_by(word, offered, tags))


@dataclass(frozen=True)
class Taken:
    """A version that is here now, and its manifest."""

    moved: Moved
    manifest: Manifest


def _take(actor: Actor, offering: Offering, number: str, source: Upstream | None = None) -> Taken:
    """Bring one version in, unless it is here. Raises SourceNotAllowed, Denied, UpstreamError."""
    resolution = offering.resolution
    name, path = resolution.name, offering.paths.get(number, ())
    if source is not None:
        check_nearest(resolution.situation.upstreams, path, source, f"{name.full}@{number}")
    held = unshadowed_versions(resolution).filter(version=number).first()
    came = held or _bring(actor, resolution, number, path)
    moved = Moved(name.full, number, PRESENT if held else PULLED, came.is_internal, came.integrity)
    return Taken(moved, offering.packument["versions"][number])


def _bring(actor: Actor, resolution: Resolution, number: str, path: Path) -> Version:
    """Open the file as an install would, until the version is here. Raises Denied, UpstreamError."""
    registry, name = resolution.registry, resolution.name
    check_may_read(actor, resolution.links_on(path), Target("npm", name.full))
    arrived = Version.objects.filter(package__registry=registry, package__format="npm", package__name=name.full, version=number)
    for _ in range(TRIES):
        try:
            opened = open_file(registry, name, name.tarball(number))
        except RuleChanged:
            continue
        if isinstance(opened, Tail):
            _follow_to_the_end(opened)
        found = arrived.first()
        if found is not None:
            return found
    raise UpstreamUnreachable(f"{name.full}@{number} could not be pulled; nothing of it was kept. Try again.", retry_after=5)


def _follow_to_the_end(tail: Tail) -> None:
    """Let the download end; one that breaks is told by the next look."""
    try:
        while (piece := tail.read(PIECE)) != b"":
            if piece is None:
                time.sleep(POLL)
    except SpoolBroken:
        pass
    finally:
        tail.close()


def _follow(actor: Actor, registry: Registry, haul: Haul, taken: Sequence[Taken]) -> list[Taken]:
    """What these versions depend on and was not followed before: first the words of all sources, then the files, several at once."""
    needed: dict[tuple[str, str], Dependency] = {}
    for one in taken:
        dependencies, elsewhere = dependencies_of(one.manifest)
        needed.update({(wish.name.full, wish.wanted): wish for wish in dependencies})
        haul.left_out.extend(LeftOut(name, "", "it does not come from a registry") for name in elsewhere)
    release_connection()  # the threads need some, and a process has few
    with ThreadPoolExecutor(AT_THE_SAME_TIME, thread_name_prefix="pull") as pool:
        picked = list(pool.map(partial(_or_why, partial(_pick, actor, registry)), needed.values()))
        chosen = {}
        for wish, found in zip(needed.values(), picked, strict=True):
            if isinstance(found, LeftOut):
                haul.left_out.append(found)
            elif (wish.name.full, found[1]) not in haul.seen:
                chosen[wish.name.full, found[1]] = (wish, found)
        check_number(len(haul.seen) + len(chosen), "dependencies")
        came = list(pool.map(lambda one: _or_why(lambda _: _take(actor, *one[1]), one[0]), chosen.values()))
    haul.left_out += [one for one in came if isinstance(one, LeftOut)]
    return [one for one in came if isinstance(one, Taken)]


def _or_why(act: Callable[[Dependency], T], wish: Dependency) -> T | LeftOut:
    """What comes of it, or why a dependency does not come. In a thread of its own."""
    try:
        return act(wish)
    except (UpstreamError, SourceAbsent, VersionNotFound, Denied) as error:
        return LeftOut(wish.name.full, wish.wanted, error.message)
    finally:
        connection.close()


@reasoned()
def _pick(actor: Actor, registry: Registry, needed: Dependency) -> tuple[Offering, str]:
    """Of what the registry would show, its own versions included. Raises Denied, VersionNotFound, SourceAbsent, UpstreamError."""
    name = needed.name
    if not actor.may(Action.READ, registry, Target("npm", name.full)):
        raise Denied(f"{actor.name or 'This token'} may not read {name.full}.")
    resolution = resolve(registry, name)
    packument = composed(resolution)
    number = picked(needed.wanted, packument["versions"], packument["dist-tags"])
    if number is None:
        raise VersionNotFound(f"no source has a version of {name.full} that fits")
    return Offering(resolution, _by_links(resolution), packument), number
