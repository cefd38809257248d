"""The packument of a package in a repository. What was promised before is not packed again."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packages.formats.npm.commits import Place
from packages.formats.npm.names import Name
from packages.formats.npm.packument import promise
from packages.formats.npm.versions import sort_key
from upstreams.clients.git.objects import Objects
from upstreams.clients.git.remote import GitTarget
from upstreams.services.git.listing import Chapter
from upstreams.services.git.packing import Parcel, Unpackable, manifest_of, measured, parcel, readme_of
from upstreams.services.git.shelf import Shelf

SECONDS = 10.0  # of packing for one answer; versions beyond are listed without a promise, which the next answers add
GRACE = 10.0  # seconds more for the version that is being packed then
TOP = ("description", "keywords", "homepage", "bugs", "license", "author", "repository")

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Described:
    """A packument, and whether every version in it has its promise."""

    document: Manifest
    is_complete: bool


def describe(target: GitTarget, name: Name, chapter: Chapter, before: Mapping[str, Any]) -> Described:
    """The packument; `before` is what it was at the last time, {} for never. Raises UpstreamBadAnswer."""
    with Objects(target.repository, target.name) as objects:
        pen = _Pen(target, objects, before.get("versions") or {})
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
            "time": {version: _moment(chapter, place) for version, place in chapter.listed.versions.items()},
            **{field: shown[field] for field in TOP if field in shown},
            **readme,
        },
        is_complete=all(promise(manifest["dist"]) for manifest in versions.values()),
    )


class _Pen:
    """Writes manifests until its time is up, then writes them without promises."""

    def __init__(self, target: GitTarget, objects: Objects, before: Mapping[str, Any]) -> None:
        self._target, self._objects, self._before = target, objects, before
        self._shelf = Shelf(target)
        self._until = time.monotonic() + SECONDS

    def versions(self, chapter: Chapter) -> Iterator[tuple[str, Manifest]]:
        """Heads of branches and the highest versions first: those that are wanted most."""
        tagged = set(chapter.listed.tags.values())
        order = sorted(chapter.listed.versions, key=lambda version: (version in tagged, sort_key(version)), reverse=True)
        for version in order:
            with contextlib.suppress(Unpackable):
                yield version, self._version(version, chapter.listed.versions[version])

    def readme(self, place: Place, version: str) -> dict[str, str]:
        """The README of a version."""
        try:
            return readme_of(self._objects, parcel(self._objects, self._target.name, place, version))
        except Unpackable:
            return {}

    def _version(self, version: str, place: Place) -> Manifest:
        known = self._before.get(version)
        address = address_of(place)
        if isinstance(known, dict) and known["dist"]["tarball"] == address and promise(known["dist"]):
            return known
        packed = parcel(self._objects, self._target.name, place, version)
        dist: Manifest = {"tarball": address}
        if time.monotonic() < self._until:
            dist |= self._promised(packed)
        return {**manifest_of(self._objects, packed, place), "dist": dist}

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


def address_of(place: Place) -> str:
    """Where a version comes from, in one word; it stands where other sources have the address of a tarball."""
    return f"git:{place.commit}:{place.folder}"


def place_of(address: str) -> Place:
    """The same read again."""
    _, commit, folder = address.split(":", 2)
    return Place(commit, folder)


def _moment(chapter: Chapter, place: Place) -> str:
    return chapter.times[place.commit].isoformat(timespec="milliseconds").replace("+00:00", "Z")
