"""A version of a package from its place in a repository: the manifest it will have, and its tarball. No script is run."""

import base64
import hashlib
import itertools
import json
import math
import posixpath
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packages.formats.npm.archive import Member, tar_gz
from packages.formats.npm.commits import Place
from packages.formats.npm.manifest import DROPPED, INSTALL_SCRIPTS, describe
from packages.formats.npm.normalise import normalise
from packages.formats.npm.packlist import IGNORE_FILES, IGNORE_LIMIT, Entry, Found, Kind, TooManyFiles, packed_files
from packages.formats.npm.siblings import CATALOG, WORKSPACE, Catalogs, catalogs_in, has_words, written_out
from packages.formats.npm.unzipped import UNPACKED_LIMIT
from packages.formats.npm.versions import LOOSE
from upstreams.clients.git.objects import MANIFEST_LIMIT, NotHere, Objects
from upstreams.errors import UpstreamBadAnswer
from upstreams.services.git.modules import Modules, workspaces_of

CATALOG_FILES, CATALOG_LIMIT = ("pnpm-workspace.yaml", ".yarnrc.yml"), 256 * 1024
UNRELEASED = "0.0.0-git."  # begins the versions that are commits
AUTHORS_LIMIT, README_LIMIT = 256 * 1024, 64 * 1024


class Unpackable(UpstreamBadAnswer):
    """One version that cannot be packed: too large, or no longer there. The others can."""


@dataclass(frozen=True)
class Parcel:
    """What is packed: the package.json as it will stand there, and the files beside it."""

    package: Mapping[str, Any]
    package_json: bytes
    files: Sequence[Found]

    @property
    def paths(self) -> list[str]:
        """The files' paths in the package."""
        return [found.path for found in self.files]


@dataclass(frozen=True)
class Measured:
    """What a `dist` tells of a tarball."""

    integrity: str
    shasum: str
    unpacked_size: int


def parcel(objects: Objects, upstream: str, place: Place, version: str) -> Parcel:
    """What would be packed of a place, under that version's number. Raises Unpackable, UpstreamBadAnswer."""
    try:
        commit = objects.commit(place.commit)
        tree = commit.tree if commit else ""
        folder = _folder(objects, tree, place.folder)
        entry = objects.entries(folder.oid)["package.json"]
        text = objects.text(entry.oid, MANIFEST_LIMIT)
        package = objects.manifest(entry.oid)
        files = packed_files(objects, folder.oid, package, above=_above(objects, tree, place.folder))
    except (KeyError, NotHere):
        raise Unpackable(f"Upstream {upstream} no longer has the commit {place.commit[:12]}.", upstream=upstream) from None
    except TooManyFiles as error:
        raise Unpackable(f"A package of upstream {upstream} cannot be packed: {error}", upstream=upstream) from None
    data = text.encode()
    written = _written_out(objects, upstream, (tree, place), package, version)
    if written != package:
        package = dict(written)
        data = (json.dumps(package, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    return Parcel(package, data, [found for found in files if found.path.lower() != "package.json" or found.path == "package.json"])


def _written_out(objects: Objects, upstream: str, where: tuple[str, Place], package: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    """Under that number, and with dependencies that a client can ask a registry for. `where`: the tree and the place in it."""
    tree, place = where
    written = {**package, "version": version}
    if not has_words(package, WORKSPACE) and not has_words(package, CATALOG):
        return written
    folders = Modules(objects, upstream).of(tree)

    def number_of(name: str) -> str:
        if name not in folders:
            return ""
        return _own_number(objects, tree, folders[name]) if place.is_own else version

    return written_out(written, number_of, _catalogs(objects, tree), is_exact=version.startswith(UNRELEASED))


def _own_number(objects: Objects, tree: str, folder: str) -> str:
    """What a package says its version is: its own tag names it so."""
    entry = objects.entries(_folder(objects, tree, folder).oid)["package.json"]
    return LOOSE.sub("", str(objects.manifest(entry.oid)["version"])).strip()


def _catalogs(objects: Objects, tree: str) -> Catalogs:
    entries = objects.entries(tree)
    found = (entries[name] for name in CATALOG_FILES if name in entries and entries[name].kind is Kind.FILE)
    catalogs = (catalogs_in(objects.text(entry.oid, CATALOG_LIMIT)) for entry in found)
    return next((one for one in catalogs if one), {})


def tarball(objects: Objects, upstream: str, packed: Parcel) -> Iterator[bytes]:
    """The tarball in pieces, the same each time. Raises UpstreamBadAnswer when it would be too large."""
    return tar_gz(_members(objects, upstream, packed))


def measured(
    objects: Objects, upstream: str, packed: Parcel, *, until: float = math.inf, copy: Callable[[bytes], object] = len
) -> Measured | None:
    """The hashes of the tarball, whose bytes `copy` gets; None when that takes longer than `until` on the monotonic clock.

    Raises Unpackable.
    """
    strong, weak = hashlib.sha512(), hashlib.sha1(usedforsecurity=False)
    sizes: list[int] = []
    for piece in tar_gz(_counted(_members(objects, upstream, packed), sizes)):
        strong.update(piece)
        weak.update(piece)
        copy(piece)
        if time.monotonic() > until:
            return None
    return Measured("sha512-" + base64.b64encode(strong.digest()).decode("ascii"), weak.hexdigest(), sum(sizes))


def manifest_of(objects: Objects, packed: Parcel, place: Place) -> dict[str, Any]:
    """The manifest such a package is shown with: what `npm publish` would have sent."""
    authors = next((one.entry for one in packed.files if one.path.lower() == "authors"), None)
    truth = normalise(packed.package, packed.paths, objects.text(authors.oid, AUTHORS_LIMIT) if authors else "")
    kept: dict[str, Any] = {key: value for key, value in truth.items() if key not in DROPPED}
    kept |= {"_id": f"{packed.package['name']}@{packed.package['version']}", "gitHead": place.commit}
    if "npm-shrinkwrap.json" in packed.paths:
        kept["_hasShrinkwrap"] = True
    scripts = kept.get("scripts")
    if isinstance(scripts, dict) and any(scripts.get(script) for script in INSTALL_SCRIPTS):
        kept["hasInstallScript"] = True
    return kept


def readme_of(objects: Objects, packed: Parcel) -> dict[str, str]:
    """The README at the package's top, and the description it gives to a package that has none."""
    found = min((one for one in packed.files if one.path.lower() in {"readme.md", "readme", "readme.markdown"}), key=_path, default=None)
    if found is None:
        return {}
    text = objects.text(found.entry.oid, 8 * README_LIMIT).encode()[:README_LIMIT].decode("utf-8", "ignore")
    described = {} if packed.package.get("description") else {"description": describe(text)}
    return {"readme": text, "readmeFilename": found.path, **described}


def _path(found: Found) -> str:
    return found.path


def _folder(objects: Objects, tree: str, folder: str) -> Entry:
    """The folder's entry. Raises KeyError, NotHere."""
    entry = Entry(Kind.FOLDER, tree)
    for part in folder.split("/") if folder else ():
        entry = objects.entries(entry.oid)[part]
        if entry.kind is not Kind.FOLDER:
            raise KeyError(part)
    return entry


def _above(objects: Objects, tree: str, folder: str) -> list[str]:
    """For a workspace the ignore files from the top down to it; npm reads those too."""
    if not folder or not workspaces_of(objects, tree).names(folder):
        return []
    parents = list(itertools.accumulate(folder.split("/")[:-1], posixpath.join, initial=""))
    found = (_ignore_file(objects, _folder(objects, tree, parent).oid) for parent in parents)
    return [text for text in found if text]


def _ignore_file(objects: Objects, folder: str) -> str:
    entries = objects.entries(folder)
    found = next((entries[name] for name in IGNORE_FILES if name in entries and entries[name].kind is Kind.FILE), None)
    return objects.text(found.oid, IGNORE_LIMIT) if found else ""


def _members(objects: Objects, upstream: str, packed: Parcel) -> Iterator[Member]:
    commands = packed.package.get("bin")
    paths = [commands] if isinstance(commands, str) else list(commands.values()) if isinstance(commands, dict) else []
    run = {posixpath.normpath(path).lstrip("/") for path in paths if isinstance(path, str)}
    total = 0
    for found in packed.files:
        size, pieces = objects.sized(found.entry.oid)
        if found.path == "package.json":
            size, pieces = len(packed.package_json), iter((packed.package_json,))
        total += size
        if total > UNPACKED_LIMIT:
            raise Unpackable(f"A package of upstream {upstream} is too large.", upstream=upstream)
        yield Member(found.path, size, found.entry.is_executable or found.path in run, pieces)


def _counted(members: Iterator[Member], sizes: list[int]) -> Iterator[Member]:
    for member in members:
        sizes.append(member.size)
        yield member
