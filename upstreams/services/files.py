"""Tarballs: from our own blobs, or pulled through from the upstream the rule names, once for all who ask."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from packages import blobs
from packages.errors import VersionNotFound
from packages.formats.npm.names import Name
from packages.selectors import IS_SHOWN
from packages.services.rows import PACKAGE_ID
from registries.models import Registry
from upstreams.errors import RuleChanged, SourceAbsent, UpstreamTimeout
from upstreams.models import Upstream
from upstreams.services.consult import load, sent_by
from upstreams.services.entry import adopt
from upstreams.services.pulls import Incoming, Pull, offered_version, offered_versions, pinned_by
from upstreams.services.renderings import HeldFile, current_rendering, held_files, keep_rendering, list_file
from upstreams.services.resolve import Resolution, resolve
from upstreams.spool import Spool, Tail
from workspaces import statements

LISTED = "SELECT sha256, size FROM upstreams_documentfile WHERE rendering_id = %s AND filename = %s"
STORED = f"SELECT v.id FROM packages_version v WHERE v.package_id = {PACKAGE_ID} AND v.version = %s AND {IS_SHOWN}"  # noqa: S608 - constants only
TRIES = 5
PATIENCE = 330.0  # seconds for the first megabyte; the client's own limits are tighter


@dataclass(frozen=True)
class OpenedFile:
    """A file whose bytes are here: where, how many, their SHA-256 in hex, and what we call it."""

    path: Path
    size: int
    sha256: str
    filename: str = ""


def open_file(registry: Registry, name: Name, filename: str, *, links: tuple[Upstream, ...] = ()) -> OpenedFile | Tail:
    """The file `filename` of a package: here already, or flowing in.

    `links`: the `registry` upstreams this registry is asked through, the nearest first; what flows in is kept in each.
    Raises VersionNotFound, SourceAbsent, UpstreamError subclasses.
    """
    for _ in range(TRIES):
        listed = _listed(registry, name, filename)
        if listed is not None:
            return listed
        resolution = resolve(registry, name)
        held = _held(resolution, filename)
        if held is not None:
            return held
        try:
            pull = _wanted(resolution, filename, links)
        except RuleChanged:
            continue
        if pull is None:
            raise VersionNotFound(f"There is no file {filename[:200]} of {name.full} here.")
        if not isinstance(pull, Pull):
            return pull
        held = _held(resolution, name.tarball(pull.offer.version))
        if held is not None:  # asked for by the odd name the upstream's own address has
            return held
        try:
            flowing = download(pull, filename, pull.begin)
        except RuleChanged:
            continue
        if flowing is not None:
            return flowing
    raise UpstreamTimeout("The file is being changed all the time; try again.", retry_after=5)


def download(pull: Pull, filename: str, begin: Callable[[], Incoming], *, lock: int | None = None) -> OpenedFile | Tail | None:
    """The file by this pull, or what flows of it; None when it is here and the database says how. Raises UpstreamError subclasses.

    `begin` opens the download, if there is to be one. `lock`: as for `Spool.join`.
    """
    begun: list[Incoming] = []

    def opening() -> Incoming:
        begun.append(begin())
        return begun[0]

    resolution = pull.resolution
    spool = spool_of(resolution.registry, resolution.name, filename)
    tail = spool.join(opening, is_here=partial(_is_stored, resolution, pull.offer.version), patience=PATIENCE, lock=lock)
    listed = begun[0].listed if begun and tail is None else None
    return _opened(listed) if listed is not None else tail


def _opened(file: HeldFile) -> OpenedFile:
    return OpenedFile(blobs.local_path(file.sha256), file.size, file.sha256, file.name)


def _listed(registry: Registry, name: Name, filename: str) -> OpenedFile | None:
    """As the hot path does it: by the current rendering alone."""
    rendering = current_rendering(registry, name)
    if rendering is None or rendering.files_until <= timezone.now():
        return None
    row = statements.row(LISTED, [rendering.pk, filename])
    return OpenedFile(blobs.local_path(row[0]), row[1], row[0], filename) if row is not None else None


def _held(resolution: Resolution, filename: str) -> OpenedFile | None:
    """A visible version's file, listed so that the next asker is answered hot."""
    for file in held_files(resolution, filename):
        list_file(keep_rendering(resolution), file)
        return _opened(file)
    return None


def _is_stored(resolution: Resolution, version: str) -> bool:
    """Asked of the table, not of the resolution: that one was made when nothing was here yet."""
    values = [resolution.registry.pk, resolution.name.full, version, resolution.decision.shows_pulled]
    return statements.row(STORED, values) is not None


def _wanted(resolution: Resolution, filename: str, links: tuple[Upstream, ...]) -> Pull | OpenedFile | Tail | None:
    """Where `filename` comes from: the nearest source that offers it, which may be a registry this one is chained to."""
    tried: set[int] = set()
    for path in resolution.decision.answering:
        if not path or path[0] in tried:
            continue
        tried.add(path[0])
        upstream = resolution.situation.upstreams[path[0]]
        if upstream.source is not None:
            found: Pull | OpenedFile | Tail | None = _through(_at_home(upstream, resolution), upstream.source, resolution, filename, links)
        else:
            found = _offered(resolution, upstream, filename, links)
        if found is not None:
            return found
    return None


def _through(
    link: Upstream, source: Registry, resolution: Resolution, filename: str, links: tuple[Upstream, ...]
) -> OpenedFile | Tail | None:
    """The file of the registry behind a link, kept here as well; None when it has none.

    It decides for itself, by the same rule: what it knows of the name is a part of what this registry knows.
    """
    keep_rendering(resolution)
    try:
        opened = open_file(source, resolution.name, filename, links=(link, *links))
    except (VersionNotFound, SourceAbsent):
        return None
    if isinstance(opened, OpenedFile):
        adopt(link, resolution.name, opened.filename, resolution.epochs)
    return opened


def _offered(resolution: Resolution, upstream: Upstream, filename: str, links: tuple[Upstream, ...]) -> Pull | None:
    """What `filename` means at an upstream: our name for it, else the upstream's own, if only one version has it."""
    document = resolution.offered_at((upstream.pk,))
    if document is None:
        return None
    name = resolution.name
    version = name.version_of(filename)
    ours = offered_version(sent_by(document).only(version), name, version)
    meant = [ours] if ours is not None else [offer for offer in offered_versions(load(document), name) if offer.basename == filename]
    if len(meant) != 1:
        return None
    return Pull(resolution, _at_home(upstream, resolution), pinned_by(resolution, document, meant[0]), links, is_asked=True)


def _at_home(upstream: Upstream, resolution: Resolution) -> Upstream:
    """The upstream as the decision saw it (a change makes the decision void), with its registry at hand."""
    if upstream.registry_id == resolution.registry.pk:
        upstream.registry = resolution.registry
    return upstream


def spool_of(registry: Registry, name: Name, filename: str) -> Spool:
    """Where the download of a file is known to every process of this machine."""
    return Spool(spool_key(registry, name, filename))


def spool_key(registry: Registry, name: Name, filename: str) -> str:
    """Of its lock and its state."""
    key = f"{settings.DATA_DIR}\n{registry.pk}\n{name.full}\n{filename}"
    return hashlib.sha256(key.encode()).hexdigest()[:40]
