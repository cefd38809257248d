"""Mirroring MoonBit modules: names out of the index, versions by the rule, zips by their checksums."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from packages import blobs
from packages.errors import VersionNotFound
from packages.formats.moonbit.index import Entry, Index, dependencies_of
from packages.formats.moonbit.names import Name, parse_name
from packages.formats.moonbit.versions import is_version
from packages.models import Version
from packages.services.rows import MODULE_ID
from upstreams.errors import InternalSourceUnavailable, RuleChanged, SourceAbsent, UpstreamError
from upstreams.models import Upstream
from upstreams.services.mirroring.absence import why_absent, why_nobody_else, why_not_from
from upstreams.services.mirroring.drivers import Course, PatternsRefused, Wanted
from upstreams.services.mirroring.present import Present
from upstreams.services.modules.chained import fetch_behind, offered_behind
from upstreams.services.modules.consult import index_of
from upstreams.services.modules.indexes import bring_index, have_at_hand, names_in
from upstreams.services.modules.pull import Pull, held_of, keep_yanks, needless
from upstreams.services.modules.resolve import OtherSource, Resolution, judge, peek, resolve, source_for
from upstreams.services.modules.standing import internal_names
from upstreams.services.troubles import telling
from upstreams.targets import target_of
from workspaces import statements
from workspaces.access import matches
from workspaces.errors import Invalid

TRIES = 5  # times a version is begun anew because the rules changed under it
KEPT = 64  # names that were looked up and are at hand
CHUNK = 500  # names judged at once
LOOK = (
    "SELECT v.manifest, v.is_internal, v.origin, b.sha256 FROM packages_version v"  # noqa: S608 - constants only
    " LEFT JOIN packages_file f ON f.version_id = v.id LEFT JOIN packages_blob b ON b.id = f.blob_id"
    f" WHERE v.package_id = {MODULE_ID} AND v.version = %s"
)
EVERY, YANKED = frozenset({"", "*"}), "yanked"  # words for versions: all that are not yanked, and all


class WordsUnknown(Invalid):
    """What was said about versions means nothing among modules."""

    code = "versions_unknown"


@dataclass(frozen=True)
class _Look:
    """What the rule lets an upstream offer of a module."""

    resolution: Resolution
    upstream: Upstream
    index: Index

    @property
    def is_behind(self) -> bool:
        """Whether it comes through a registry of the workspace."""
        return self.upstream.kind == Upstream.Kind.REGISTRY or self.upstream.registry_id != self.resolution.registry.pk


class Moonbit:
    """The driver of one job."""

    def __init__(self) -> None:
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._lock = threading.Lock()

    def names(self, course: Course, patterns: Sequence[str]) -> Iterator[str]:
        """Out of the copy of its index, which tells the upstream nothing. Raises PatternsRefused, UpstreamError."""
        present = Present.of(course.registry, course.upstream)
        upstream = present.upstream
        if upstream.index_type != Upstream.IndexType.GIT:
            sentence = f"Upstream {upstream.name} has its index over HTTP, which cannot be listed; name modules, like acme/core."
            raise PatternsRefused("Not every pattern could be listed.", why=dict.fromkeys(patterns, sentence))
        with telling(upstream, "its index"):
            target = target_of(upstream)
            index = bring_index(upstream, target, course.began)
            listed = names_in(upstream, target, index)
        present.check()
        fitting = (name for name in listed if _fits(name, patterns) and _fits(name, upstream.patterns or ["*"]))
        while chunk := list(islice(fitting, CHUNK)):
            have_at_hand(upstream, index, chunk)
            ours = set() if upstream.is_internal else internal_names(course.registry, [name.full for name in chunk])
            yield from (name.full for name in chunk if name.full not in ours)

    def versions(self, course: Course, name: str) -> Sequence[Wanted]:
        """Those the upstream lists now, without what is held or was deleted on purpose; what it withdrew is marked so here."""
        parsed = parse_name(name)
        self._forget(parsed.full)
        look = self._look(course, parsed, is_named=True)
        entries = _chosen(look.index, course)
        if not entries and course.options.versions not in EVERY | {YANKED}:
            raise VersionNotFound(f"Upstream {look.upstream.name} has no version that fits “{course.options.versions[:100]}”.")
        held = held_of(look.resolution)
        keep_yanks(look.resolution, look.upstream, held, {entry.version: entry.is_yanked for entry in look.index.entries})
        if course.options.dependencies:  # what a held one needs may not be here
            return [Wanted(parsed.full, entry.version) for entry in entries]
        kept = needless(look.resolution, look.upstream, held, look=course.options.full)
        return [Wanted(parsed.full, entry.version) for entry in entries if entry.version not in kept]

    def fetch(self, course: Course, wanted: Wanted) -> Sequence[Wanted]:
        """One version; with dependencies the least versions it needs, which are those a build takes."""
        name = parse_name(wanted.name)
        for _ in range(TRIES):
            try:
                needed = self._fetched(course, name, wanted.version)
                return [Wanted(other, version) for other, version in needed.items()] if course.options.dependencies else []
            except RuleChanged:
                self._forget(name.full)
        raise RuleChanged("The rules for this module are being changed; try again.", retry_after=1)

    def _fetched(self, course: Course, name: Name, version: str) -> dict[str, str]:
        """What a version needs that is here now."""
        found = statements.row(LOOK, [course.registry.pk, name.full, version])
        is_shadowed = found is not None and not found[1] and found[2] == Version.Origin.PULLED and course.upstream.is_internal
        if found is not None and not is_shadowed and (not course.options.full or (found[3] and blobs.exists(found[3]))):
            return dependencies_of(bytes(found[0]))
        look = self._look(course, name)
        entry = look.index.entry(version)
        if entry is None:
            raise VersionNotFound(f"Upstream {look.upstream.name} has no version of this number.")
        if look.is_behind:
            fetch_behind(course.registry, look.upstream, name, entry)
        else:
            Pull(look.resolution, look.upstream, entry).run()
        return dict(entry.dependencies)

    def _look(self, course: Course, name: Name, *, is_named: bool = False) -> _Look:
        """Ask by the rule; the upstream's answer is of this job's time. Raises OtherSource, SourceAbsent, UpstreamError."""
        with self._lock:
            look = self._looks.get(name.full)
        if look is None:
            look = _looked(course, name, is_free=course.is_free(is_named=is_named))
            with self._lock:
                self._looks[name.full] = look
                while len(self._looks) > KEPT:
                    self._looks.popitem(last=False)
        return look

    def _forget(self, name: str) -> None:
        with self._lock:
            self._looks.pop(name, None)


def _looked(course: Course, name: Name, *, is_free: bool) -> _Look:
    upstream = course.upstream
    if upstream.is_internal and not is_free:
        _check_internal(course, name)
    try:
        resolution = resolve(course.registry, name, fresh={upstream.pk: course.began})
    except InternalSourceUnavailable as error:
        if isinstance(error.__cause__, UpstreamError) and error.upstream == upstream.name:
            raise error.__cause__ from None  # its own trouble says more
        raise
    except SourceAbsent as error:
        raise SourceAbsent(why_absent(upstream, peek(course.registry, name).decision, "module"), why=error.why) from None
    try:
        document = source_for(resolution, upstream)
    except OtherSource:
        if not is_free:
            raise OtherSource(why_not_from(upstream, resolution.decision)) from None
        return _elsewhere(resolution, upstream)
    upstream = resolution.situation.upstreams[upstream.pk]  # as it is now
    upstream.registry = resolution.registry
    return _Look(resolution, upstream, index_of(document, name))


def _elsewhere(resolution: Resolution, wanted: Upstream) -> _Look:
    """At whichever source the rule names, which may be a registry of the workspace or one behind it. Raises OtherSource."""
    path = next((path for path in resolution.decision.answering if path), None)
    if path is None:
        raise OtherSource(why_not_from(wanted, resolution.decision))
    upstream, document = resolution.situation.upstreams[path[-1]], resolution.offered_at(path)
    if upstream.kind == Upstream.Kind.REGISTRY:
        entries = tuple(entry for _, entry in offered_behind(resolution.registry, resolution.name).values())
        return _Look(resolution, upstream, Index(entries))
    if len(path) == 1:
        upstream.registry = resolution.registry
        document = source_for(resolution, upstream)
    if document is None:
        raise OtherSource(why_not_from(wanted, resolution.decision))
    return _Look(resolution, upstream, index_of(document, resolution.name))


def _check_internal(course: Course, name: Name) -> None:
    """What an internal upstream does not have after all may still be its own: nobody else hears of it. Raises SourceAbsent."""
    decision = judge(course.registry, name, fresh={course.upstream.pk: course.began})
    if decision.is_internal is False:
        raise SourceAbsent(why_nobody_else(course.upstream, decision, "module"))


def meaningless(text: str) -> str:
    """Why a text can mean no version; '' where it can."""
    words = text.strip()
    if words in EVERY | {YANKED} or is_version(words):
        return ""
    return f"“{words[:80]}” names no version: say one like 0.1.0, * for all, or {YANKED} for all with those withdrawn."


def _chosen(index: Index, course: Course) -> list[Entry]:
    """The versions that are wanted, in order. Raises WordsUnknown."""
    words = course.options.versions.strip()
    standing = [entry for entry in index.entries if not entry.is_yanked]
    if course.options.newest and words in EVERY:
        return standing[-1:]
    if words in EVERY:
        return standing
    if words == YANKED:
        return list(index.entries)
    if why := meaningless(words):
        raise WordsUnknown(why)
    return [entry for entry in index.entries if entry.version == words]


def _fits(name: Name, patterns: Sequence[str]) -> bool:
    return any(matches(pattern, name.full) for pattern in patterns)
