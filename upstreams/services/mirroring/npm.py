"""Mirroring npm packages: asks as an install would, and keeps what comes as an install's bytes are kept."""

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson
from django.utils import timezone

from packages import blobs
from packages.errors import VersionNotFound
from packages.formats.npm.choosing import best, needs, within
from packages.formats.npm.names import Name, parse_known
from packages.formats.npm.packument import Manifest
from packages.formats.npm.versions import is_version
from packages.models import Version
from packages.selectors import IS_SHOWN
from packages.services.rows import PACKAGE_ID
from upstreams.errors import RuleChanged, SourceAbsent, UpstreamUnreachable
from upstreams.models import Upstream, UpstreamDocument
from upstreams.services.consult import load
from upstreams.services.documents import composed
from upstreams.services.files import open_file, spool_of
from upstreams.services.mirroring.absence import why_absent, why_nobody_else, why_not_from
from upstreams.services.mirroring.drivers import BEST, SPARED, Course, Wanted
from upstreams.services.mirroring.npm_names import Listing
from upstreams.services.pulls import Offer, Pull, offered_versions, pinned_by
from upstreams.services.resolve import Resolution, judge, peek, resolve
from upstreams.spool import Tail
from upstreams.terms import Reply
from workspaces import statements
from workspaces.errors import Invalid

TRIES = 5  # times a version is begun anew because the rules changed under it
PATIENCE = 330.0  # seconds for one file
KEPT_NAMES, KEPT_BYTES = 64, 16 * 1024 * 1024  # what was looked up and is at hand: names, and what their documents take
TYPICAL = 4 * 1024  # bytes of a manifest in memory

HELD = f"SELECT v.version FROM packages_version v WHERE v.package_id = {PACKAGE_ID} AND {IS_SHOWN}"  # noqa: S608 - constants only
FILES = (
    "SELECT v.version, b.sha256 FROM packages_blob b JOIN packages_file f ON f.blob_id = b.id"  # noqa: S608 - constants only
    f" JOIN packages_version v ON v.id = f.version_id WHERE v.package_id = {PACKAGE_ID} AND {IS_SHOWN}"
)
FILE = FILES + " AND v.version = %s"
RETIRED = "SELECT version FROM packages_retiredversion WHERE registry_id = %s AND format = 'npm' AND name = %s"
SAID_BEFORE = "SELECT 1 FROM upstreams_upstreamdocument WHERE upstream_id = %s AND name = %s AND fetched_at < %s AND fresh_until > %s"


class NotFromHere(Invalid):
    """By the rule this upstream is not the one that answers for the name."""

    code = "not_from_here"


@dataclass(frozen=True)
class _Look:
    """What the rule lets an upstream offer of a name. No upstream: the name comes from a registry of this workspace, or is here."""

    resolution: Resolution
    upstream: Upstream | None
    offers: Mapping[str, Offer]
    tags: Mapping[str, str]
    size: int = 0


class Npm:
    """The driver of one job."""

    def __init__(self) -> None:
        self._looks: OrderedDict[str, _Look] = OrderedDict()
        self._lock = threading.Lock()
        self._was_asked: bool | None = None  # whether the upstream had said anything before the job began

    def names(self, course: Course, patterns: Sequence[str]) -> Iterator[str]:
        """From the upstream's own list, else from its search."""
        return Listing(course).names(patterns)

    def versions(self, course: Course, name: str) -> Sequence[Wanted]:
        """Those the upstream offers now, without what is held or was deleted on purpose."""
        parsed, options = parse_known(name), course.options
        if options.newest and is_version(options.versions) and _held_manifest(course, parsed, options.versions) is not None:
            return [Wanted(name, options.versions)] if options.dependencies else []
        look = self._look(course, parsed, is_named=True)
        if options.newest:
            chosen = best(look.offers, look.tags, options.versions)
            found = [chosen] if chosen else []
        else:
            found = within(look.offers, look.tags, options.versions)
        if options.versions and not found:
            fits = "version that fits" if options.newest else f"version that fits “{options.versions[:100]}”"
            raise VersionNotFound(_lacks(course, look, fits))
        unwanted = _unwanted(course, look.resolution)
        wanted = [version for version in found if version not in unwanted]
        self._keep(parsed.full, look, wanted)
        return [Wanted(name, version) for version in wanted]

    def fetch(self, course: Course, wanted: Wanted) -> Sequence[Wanted]:
        """One version, by the same pull as an install's."""
        name = parse_known(wanted.name)
        for _ in range(TRIES):
            try:
                manifest = self._fetched(course, name, wanted.version)
                return _needed(manifest) if course.options.dependencies else []
            except RuleChanged:
                self._forget(name.full)
        raise RuleChanged("The rules for this package are being changed; try again.", retry_after=1)

    def _fetched(self, course: Course, name: Name, version: str) -> Manifest:
        """The manifest of a version that is here now."""
        look = self._at_hand(name.full, version)
        if look is None or course.options.dependencies:  # else it was not held a moment ago
            held = _held_manifest(course, name, version)
            if held is not None:
                return held
        look = look or self._look(course, name)
        offer = look.offers.get(version)
        if offer is None:
            raise VersionNotFound(_lacks(course, look, "version of this number"))
        if look.upstream is None:
            _through(course, name, version)
        else:
            spool = spool_of(course.registry, name, name.tarball(version))
            pull = Pull(look.resolution, look.upstream, offer)
            shows_pulled = look.resolution.decision.shows_pulled
            spool.fill(pull.begin, is_here=lambda: _is_held(course, name, version, shows_pulled=shows_pulled), patience=PATIENCE)
        return offer.manifest

    def _look(self, course: Course, name: Name, *, is_named: bool = False) -> _Look:
        """Ask by the rule; the upstream's answer is of this job's time. Raises NotFromHere, SourceAbsent, UpstreamError."""
        if self._was_asked is None:
            self._was_asked = UpstreamDocument.objects.filter(upstream=course.upstream, fetched_at__lt=course.began).exists()
        if self._was_asked:
            _outdate(course, name)
        is_anywhere = course.is_free(is_named=is_named)
        if course.upstream.kind == Upstream.Kind.GIT and is_named and not course.options.anywhere:
            Listing(course).renew()
        if course.upstream.is_internal and not is_anywhere:
            _check_internal(course, name)
        resolution = _resolved(course, name)
        for path in resolution.decision.answering:
            is_asked = path == (course.upstream.pk,) or (is_anywhere and len(path) == 1)
            document = resolution.offered_at(path) if is_asked else None
            if document is not None:
                return _offered(resolution, path[0], document, name)
        if is_anywhere:
            shown = composed(resolution)
            offers = {version: Offer(version, manifest, "", "") for version, manifest in shown["versions"].items()}
            return _Look(resolution, None, offers, shown["dist-tags"], len(offers) * TYPICAL)
        _check_all_said(resolution)
        raise NotFromHere(why_not_from(course.upstream, resolution.decision))

    def _keep(self, name: str, look: _Look, wanted: Sequence[str]) -> None:
        """At hand for the fetching that follows, as long as there is room."""
        slim = _Look(look.resolution, look.upstream, {version: look.offers[version] for version in wanted}, {}, look.size)
        with self._lock:
            self._looks[name] = slim
            while len(self._looks) > KEPT_NAMES or (sum(one.size for one in self._looks.values()) > KEPT_BYTES and len(self._looks) > 1):
                self._looks.popitem(last=False)

    def _at_hand(self, name: str, version: str) -> _Look | None:
        with self._lock:
            look = self._looks.get(name)
        return look if look is not None and version in look.offers else None

    def _forget(self, name: str) -> None:
        with self._lock:
            self._looks.pop(name, None)


def _needed(manifest: Manifest) -> list[Wanted]:
    """What a version depends on, as questions."""
    return [Wanted(need.name, (SPARED if need.is_optional else BEST) + need.words) for need in needs(manifest)]


def _lacks(course: Course, look: _Look, what: str) -> str:
    """That what is sought is not among what was found."""
    return f"Upstream {look.upstream.name} has no {what}." if look.upstream is not None else f"No source of {course.registry} has a {what}."


def _check_internal(course: Course, name: Name) -> None:
    """What an internal upstream does not have after all may still be its own: nobody else hears of it. Raises SourceAbsent."""
    decision = judge(course.registry, name)
    if decision.is_internal is False:
        raise SourceAbsent(why_nobody_else(course.upstream, decision, "package"))


def _resolved(course: Course, name: Name) -> Resolution:
    """The decision. Raises SourceAbsent, which tells who was asked, and by which clause others were not."""
    try:
        return resolve(course.registry, name)
    except SourceAbsent as error:
        decision = peek(course.registry, name).decision
        raise SourceAbsent(why_absent(course.upstream, decision, "package"), why=error.why) from None


def _check_all_said(resolution: Resolution) -> None:
    """A source that could not say, while what is held here answers, leaves open where the name comes from. Raises its trouble."""
    failed = (said.error for said in resolution.situation.replies.values() if said.reply is Reply.FAILED and said.error is not None)
    if resolution.decision.blocked_by and (trouble := next(failed, None)) is not None:
        raise trouble


def _offered(resolution: Resolution, upstream_id: int, document: UpstreamDocument, name: Name) -> _Look:
    """What an upstream's answer offers. Raises UpstreamUnreachable when it is one of earlier times."""
    said, upstream = resolution.situation.replies[upstream_id], resolution.situation.upstreams[upstream_id]
    if said.is_stale:
        raise UpstreamUnreachable(said.detail or f"Upstream {upstream.name} does not answer.", upstream=upstream.name, retry_after=5)
    packument = load(document)
    upstream.registry = resolution.registry
    offers = {offer.version: pinned_by(resolution, document, offer) for offer in offered_versions(packument, name)}
    tags = packument.get("dist-tags")
    known = {tag: version for tag, version in tags.items() if isinstance(version, str)} if isinstance(tags, dict) else {}
    return _Look(resolution, upstream, offers, known, len(offers) * TYPICAL)


def _outdate(course: Course, name: Name) -> None:
    """What the upstream said before the job began is asked again, conditionally."""
    now = timezone.now()
    if statements.row(SAID_BEFORE, [course.upstream.pk, name.full, statements.moment(course.began), statements.moment(now)]):
        UpstreamDocument.objects.filter(upstream=course.upstream, name=name.full, fetched_at__lt=course.began).update(fresh_until=now)


def _unwanted(course: Course, resolution: Resolution) -> set[str]:
    """Versions that are here (unless what they depend on is to be looked for), or were the team's own and deleted.

    One that is shadowed does not count: the internal one of its number is still to come.
    """
    key = [course.registry.pk, resolution.name.full]
    if course.options.dependencies:
        return {str(version) for (version,) in statements.rows(RETIRED, key)}
    held = (FILES if course.options.full else HELD, [*key, resolution.decision.shows_pulled])
    retired, here = statements.several([(RETIRED, key), held])
    return {str(row[0]) for row in retired} | {str(row[0]) for row in here if not course.options.full or blobs.exists(row[1])}


def _is_held(course: Course, name: Name, version: str, *, shows_pulled: bool) -> bool:
    """Whether a version is here with its bytes; without `shows_pulled` one that can be shadowed does not count."""
    found = statements.row(FILE, [course.registry.pk, name.full, shows_pulled, version])
    return found is not None and (not course.options.full or blobs.exists(found[1]))


def _held_manifest(course: Course, name: Name, version: str) -> Manifest | None:
    """The manifest of a version that is here with its bytes, and not shadowed by what is known of the name."""
    if not _is_held(course, name, version, shows_pulled=False) and not (
        _is_held(course, name, version, shows_pulled=True) and peek(course.registry, name).decision.shows_pulled
    ):
        return None
    found = Version.objects.filter(package__registry=course.registry, package__format="npm", package__name=name.full, version=version)
    manifest = found.values_list("manifest", flat=True).first()
    return orjson.loads(bytes(manifest)) if manifest is not None else None


def _through(course: Course, name: Name, version: str) -> None:
    """From a registry this one is chained to, kept here as well."""
    opened = open_file(course.registry, name, name.tarball(version))
    if isinstance(opened, Tail):
        opened.wait(PATIENCE)
