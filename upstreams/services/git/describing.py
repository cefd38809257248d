"""The packument of a package in a repository. What was promised before is not packed again."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packages.formats.npm.commits import Place
from packages.formats.npm.names import Name
from packages.formats.npm.packument import agree, promise
from packages.formats.npm.versions import sort_key
from upstreams.clients.git.objects import Objects
from upstreams.clients.git.remote import GitTarget
from upstreams.services.git.listing import Chapter
from upstreams.services.git.packing import Parcel, Unpackable, manifest_of, measured, parcel, readme_of
from upstreams.services.git.shelf import Shelf

SECONDS = 10.0  # of packing for one answer; versions beyond are listed without a promise, which the next answers add
GRACE = 10.0  # seconds more for the version that is being packed then
ANY, OWN = "git", "git+own"  # before an address: named by a branch or a tag of all packages, or by a tag of its own
TOP = ("description", "keywords", "homepage", "bugs", "license", "author", "repository")

Manifest = dict[str, Any]


@dataclass(frozen=True)
class MovedTag:
    """A tag that names another commit than it did. `is_kept`: the first one can still be given, so the version stays what it was."""

    first: str
    now: str
    is_kept: bool


@dataclass(frozen=True)
class Described:
    """A packument, and whether every version in it has its promise.

    `moved`: versions whose tag was moved; `others`: what is promised now of versions that were seen with other bytes, which
    are not in the document; `kept`: commits that versions stay at though no tag has them any more.
    """

    document: Manifest
    is_complete: bool
    moved: Mapping[str, MovedTag]
    others: Mapping[str, str]
    kept: Sequence[str]


def describe(target: GitTarget, name: Name, chapter: Chapter, before: Mapping[str, Any], pinned: Mapping[str, str]) -> Described:
    """The packument; `before` is what it was at the last time, {} for never; `pinned` what was first promised.

    Raises UpstreamBadAnswer.
    """
    with Objects(target.repository, target.name) as objects:
        pen = _Pen(target, objects, before.get("versions") or {}, pinned)
        versions = dict(pen.versions(chapter))
        pen.clear(versions)
        latest = chapter.listed.tags.get("latest", "")
        readme = pen.readme(chapter.listed.versions[latest], latest) if latest in chapter.listed.versions else {}
    shown = versions.get(latest, {})
    return Described(
        {
            "_id": name.full,
            "name": name.full,
            "dist-tags": dict(chapter.listed.tags),
            "versions": {version: {**manifest, "name": name.full} for version, manifest in versions.items()},
            "time": {version: _moment(chapter, before, version, version in pen.moved) for version in chapter.listed.versions},
            **{field: shown[field] for field in TOP if field in shown},
            **readme,
        },
        is_complete=all(promise(manifest["dist"]) for manifest in versions.values()),
        moved=pen.moved,
        others=pen.others,
        kept=pen.kept,
    )


class _Pen:
    """Writes manifests until its time is up, then writes them without promises."""

    def __init__(self, target: GitTarget, objects: Objects, before: Mapping[str, Any], pinned: Mapping[str, str]) -> None:
        self._target, self._objects, self._before, self._pinned = target, objects, before, pinned
        self.moved: dict[str, MovedTag] = {}
        self.others: dict[str, str] = {}
        self.kept: list[str] = []
        self._shelf = Shelf(target)
        self._until = time.monotonic() + SECONDS

    def versions(self, chapter: Chapter) -> Iterator[tuple[str, Manifest]]:
        """Heads of branches and the highest versions first: those that are wanted most."""
        tagged = set(chapter.listed.tags.values())
        order = sorted(chapter.listed.versions, key=lambda version: (version in tagged, sort_key(version)), reverse=True)
        for version in order:
            with contextlib.suppress(Unpackable):
                manifest = self._version(version, chapter.listed.versions[version])
                if not self._is_other(version, promise(manifest["dist"])):
                    yield version, manifest

    def readme(self, place: Place, version: str) -> dict[str, str]:
        """The README of a version."""
        try:
            return readme_of(self._objects, parcel(self._objects, self._target.name, place, version))
        except Unpackable:
            return {}

    def _version(self, version: str, place: Place) -> Manifest:
        known = self._known(version)
        if known and (_is_at(known, place) or self._stays(version, known, place)):
            return known
        packed = parcel(self._objects, self._target.name, place, version)
        dist: Manifest = {"tarball": address_of(place)}
        if time.monotonic() < self._until:
            dist |= self._promised(packed)
        return {**manifest_of(self._objects, packed, place), "dist": dist}

    def _known(self, version: str) -> Manifest:
        """What was listed of a version with a promise, {} for nothing."""
        known = self._before.get(version)
        return known if isinstance(known, dict) and promise(known["dist"]) else {}

    def _stays(self, version: str, known: Manifest, place: Place) -> bool:
        """Whether a version whose tag was moved is still what was first promised of it, and can be given."""
        promised, first = promise(known["dist"]), place_of(known["dist"]["tarball"]).commit
        if self._pinned.get(version) != promised:  # nobody was promised it, or somebody took it back
            return False
        is_here = self._objects.has(first)
        is_kept = is_here or self._shelf.place(promised).is_file()
        self.moved[version] = MovedTag(first, place.commit, is_kept)
        self.kept += [first] if is_here else []
        return is_kept

    def _is_other(self, version: str, promised: str) -> bool:
        """First bytes win: what is not what was promised is not offered."""
        pinned = self._pinned.get(version, "")
        if not pinned or not promised or agree(pinned, promised):
            return False
        self.others[version] = promised
        return True

    def _promised(self, packed: Parcel) -> Manifest:
        """What `dist` says of the bytes, which are kept for whoever asks for them; nothing when they take too long."""
        with self._shelf.slot() as slot:
            found = measured(self._objects, self._target.name, packed, until=self._until + GRACE, copy=slot.write)
            if found is None:
                return {}
            slot.keep(self._shelf.place(found.integrity))
        sizes = {"fileCount": len(packed.files), "unpackedSize": found.unpacked_size}
        return {"integrity": found.integrity, "shasum": found.shasum, **sizes}

    def clear(self, versions: Mapping[str, Manifest]) -> None:
        """Let go of the bytes of what is not listed any more."""
        kept = {promise(manifest["dist"]) for manifest in versions.values()}
        self._shelf.clear({promise(manifest["dist"]) for manifest in self._before.values()} - kept)


def _is_at(known: Manifest, place: Place) -> bool:
    before = place_of(known["dist"]["tarball"])
    return (before.commit, before.folder) == (place.commit, place.folder)


def address_of(place: Place) -> str:
    """Where a version comes from, in one word; it stands where other sources have the address of a tarball."""
    return f"{OWN if place.is_own else ANY}:{place.commit}:{place.folder}"


def place_of(address: str) -> Place:
    """The same read again."""
    word, commit, folder = address.split(":", 2)
    return Place(commit, folder, is_own=word == OWN)


def _moment(chapter: Chapter, before: Mapping[str, Any], version: str, is_moved: bool) -> str:  # noqa: FBT001 - asked once, above
    place = chapter.listed.versions[version]
    known: str | None = (before.get("time") or {}).get(version) if is_moved else None
    return known or chapter.times[place.commit].isoformat(timespec="milliseconds").replace("+00:00", "Z")
