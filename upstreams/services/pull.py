"""Pulling versions on purpose: what an install would bring, without the install. By the rule, as everything.

Each name is decided by `resolve`, each file comes by `open_file`; a named upstream that the rule does not let answer is
refused with the clause, and nobody else is taken instead.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from django.db import connection
from django.db.models import Q

from packages.errors import VersionNotFound
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.packument import Manifest
from packages.formats.npm.ranges import Dependency, dependencies_of, meant_by, picked
from packages.models import Version
from registries.models import Registry
from upstreams.errors import (
    RuleChanged,
    SourceAbsent,
    SourceNotAllowed,
    UpstreamDisabled,
    UpstreamError,
    UpstreamNotFound,
    UpstreamUnreachable,
)
from upstreams.flight import release_connection
from upstreams.models import Upstream
from upstreams.resolution import TO_ASK, UNASKED
from upstreams.services.consult import load
from upstreams.services.documents import composed
from upstreams.services.files import open_file
from upstreams.services.parcels import AT_ONCE, TRIES, LeftOut, Order
from upstreams.services.pulls import offered_versions
from upstreams.services.push import PRESENT, PULLED, Moved, Outcome
from upstreams.services.renderings import unshadowed_versions, versions_shown
from upstreams.services.resolve import Resolution, judge, peek, resolve
from upstreams.services.trades import Named
from upstreams.spool import SpoolBroken, Tail
from upstreams.terms import Decision, Path
from workspaces.access import Action, Actor, Target
from workspaces.errors import Denied, GatehouseError, Invalid
from workspaces.services.audit import record

LATEST = "latest"
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


@dataclass
class Haul:
    """What came of it so far."""

    moved: list[Moved] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)


def pull(*, actor: Actor, registry: Registry, upstream: str, order: Order) -> Outcome:
    """Bring versions of a name into `registry`: exactly those, with the flag their source gives them.

    What they depend on comes along only if asked for; what of that cannot come is told, and holds nothing else up.
    Raises Denied, UpstreamNotFound, UpstreamDisabled, SourceNotAllowed, VersionNotFound, SourceAbsent, UpstreamError.
    """
    if not actor.may(Action.PUBLISH, registry, Target("npm", order.name.full)):
        raise Denied(f"{actor.name or 'This token'} may not pull {order.name.full} into {registry}.")
    source = named_upstream(registry, upstream, "npm") if upstream else None
    offering = _offering(registry, parse_known(order.name.full), source)
    haul = Haul()
    taken = [_take(actor, offering, number, source) for number in _asked_for(offering, order)]
    while taken:
        haul.moved += [one.moved for one in taken]
        haul.seen.update((one.moved.name, one.moved.version) for one in taken)
        taken = _follow(actor, registry, haul, taken) if order.dependencies else []
    tell_of_pull(actor, registry, upstream, order, haul)
    return Outcome(origin=upstream, goal=str(registry), moved=haul.moved, left_out=haul.left_out)


def named_upstream(registry: Registry, name: str, format: str) -> Upstream:  # noqa: A002 - the field's own word
    """That upstream of the registry, which has packages of this format. Raises UpstreamNotFound, UpstreamDisabled."""
    fitting = Q(format=format) | Q(kind=Upstream.Kind.REGISTRY, format="npm")  # a link is for packages of every format
    found = Upstream.objects.select_related("source__workspace").filter(fitting, registry=registry, name=name).first()
    if found is None:
        raise UpstreamNotFound(f"{registry} has no upstream “{name[:40]}”.")
    if not found.is_enabled:
        raise UpstreamDisabled(f"Upstream {name} is disabled, so nothing is pulled from it.")
    return found


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
    paths = [path for path in resolution.decision.answering if path and (source is None or path[0] == source.pk)]
    blocked_by = resolution.decision.blocked_by
    if not paths and blocked_by and (source is None or source.name == blocked_by):
        raise UpstreamUnreachable(f"Upstream {blocked_by} cannot answer for {name.full} now.", upstream=blocked_by, retry_after=30)
    if not paths:
        why = resolution.decision.clause
        if source is not None:
            raise not_allowed(registry, name, resolution.decision, source, lacks(source, name, why))
        raise SourceAbsent(f"No source of {registry} has {name.full}.", why=why)
    beyond = Resolution(registry, name, resolution.situation, replace(resolution.decision, answering=tuple(paths)))
    return Offering(resolution, _whence(resolution) if source is not None else _by_links(resolution), composed(beyond))


def not_allowed(registry: Registry, name: Named, decision: Decision, source: Upstream, absent: SourceAbsent) -> GatehouseError:
    """The clause by which the upstream does not answer; its own 404 where it was asked and has nothing."""
    step = next((step for step in decision.steps if step.path == (source.pk,)), None)
    if step is None or step.asked or (source.kind == Upstream.Kind.REGISTRY and step.clause == UNASKED):
        return absent
    clause = step.clause if step.clause != TO_ASK else UNASKED
    return SourceNotAllowed(f"Upstream {source.name} may not answer for {name.full} in {registry}: {clause}.")


def lacks(source: Upstream, name: Named, why: str) -> SourceAbsent:
    """The upstream that was named has nothing of the name; of a registry that is gone through, nobody behind it either."""
    behind = ", and nobody behind it has" if source.kind == Upstream.Kind.REGISTRY else ""
    return SourceAbsent(f"Upstream {source.name} has no package {name.full}{behind}.", why=why)


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
    chosen: dict[str, None] = {}
    for word in order.versions or (LATEST,):
        meant = meant_by(word, offering.packument["versions"], offering.tags)
        if not meant:
            raise VersionNotFound(f"No source of {offering.resolution.registry} has a version {word[:80]} of {order.name.full}.")
        chosen.update(dict.fromkeys(meant))
    if len(chosen) > AT_ONCE:
        raise Invalid(f"These are more than {AT_ONCE:,} versions; pull them in parts.", fields={"versions": "too many"})
    return list(chosen)


@dataclass(frozen=True)
class Taken:
    """A version that is here now, and its manifest."""

    moved: Moved
    manifest: Manifest


def _take(actor: Actor, offering: Offering, number: str, source: Upstream | None = None) -> Taken:
    """Bring one version in, unless it is here. Raises SourceNotAllowed, Denied, UpstreamError."""
    resolution = offering.resolution
    name, path = resolution.name, offering.paths.get(number, ())
    if source is not None and path[0] != source.pk:
        nearer = resolution.situation.upstreams[path[0]].name
        raise SourceNotAllowed(f"{name.full}@{number} comes from upstream {nearer}, which is nearer than {source.name} and has it too.")
    held = unshadowed_versions(resolution).filter(version=number).first()
    came = held or _bring(actor, resolution, number, path)
    moved = Moved(name.full, number, PRESENT if held else PULLED, came.is_internal, came.integrity)
    return Taken(moved, offering.packument["versions"][number])


def _bring(actor: Actor, resolution: Resolution, number: str, path: Path) -> Version:
    """Open the file as an install would, until the version is here. Raises Denied, UpstreamError."""
    registry, name = resolution.registry, resolution.name
    for link in resolution.links_on(path):
        if link.source is not None and not actor.may(Action.READ, link.source, Target("npm", name.full)):
            raise Denied(f"{actor.name or 'This token'} may not read {name.full} in {link.source}.")
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
        if len(haul.seen) + len(chosen) > AT_ONCE:
            raise Invalid(f"These are more than {AT_ONCE:,} versions; pull them in parts.", fields={"dependencies": "too many"})
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


def tell_of_pull(actor: Actor, registry: Registry, upstream: str, order: Order, haul: Haul) -> None:
    """One event of who wanted it; each version that came has one of its own."""
    pulled = [f"{one.name}@{one.version}" for one in haul.moved if one.result == PULLED]
    if pulled:
        new = {"from": upstream, "to": str(registry), "versions": pulled[:50], "number": len(pulled)}
        record(actor, "package.pulled", f"{registry} {order.trade.format} {order.name.full}", workspace=registry.workspace_id, new=new)
