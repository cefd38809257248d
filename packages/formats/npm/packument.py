"""Packuments: composing what may be shown, and rendering the full and the abbreviated form. Pure.

Forms: docs of the npm registry API, "package metadata"; the fields npm 6 to 12, pnpm, yarn and bun read
were measured with the real clients. `time` stands in the abbreviated form too, which spares pnpm 12 a request.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from packages.formats.npm.names import Name
from packages.formats.npm.versions import is_same, is_version, newest

FULL, ABBREVIATED = "full", "abbreviated"
SHORT_FIELDS = (
    "name", "version", "deprecated", "dependencies", "optionalDependencies", "devDependencies", "bundleDependencies",
    "bundledDependencies", "peerDependencies", "peerDependenciesMeta", "bin", "directories", "dist", "engines", "cpu", "os",
    "libc", "funding", "acceptDependencies", "_hasShrinkwrap", "hasInstallScript",
)  # fmt: skip
NAME_FIELDS = ("description", "homepage", "keywords", "repository", "author", "bugs", "license", "readme", "readmeFilename")
ONE_HASH = r"[a-z0-9]{1,16}-[A-Za-z0-9+/]{1,128}={0,2}(?:\?[!-~]{0,200})?"
SRI = re.compile(rf"{ONE_HASH}(?: {{1,8}}{ONE_HASH}){{0,7}}")
SHASUM = re.compile(r"[0-9a-fA-F]{40}")
INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class HeldVersion:
    """A version whose bytes the registry holds. `integrity` is SRI, `created_at` ISO 8601 in UTC."""

    version: str
    manifest: Manifest
    integrity: str
    shasum: str
    filename: str
    deprecated: str
    created_at: str
    publisher: str
    is_pulled: bool
    is_corrected: bool = False  # its file says otherwise than its source: the manifest kept here is the truth
    signatures: Sequence[Mapping[str, str]] = ()  # our own, {keyid, sig}


@dataclass(frozen=True, kw_only=True)
class Held:
    """What a registry holds and may show: versions, and its tags."""

    versions: Sequence[HeldVersion]
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """What an upstream says it has. `pins`: version -> the promise first seen of its bytes; one of others is not believed."""

    document: Manifest
    pins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What may be shown of a name: what each answering source has, nearest first, which wins on the same number.

    `maintainers`: who was named here; nobody: whoever published. `stargazers`: who starred it here.
    """

    name: Name
    revision: str
    layers: Sequence[Held | Offered]
    maintainers: Sequence[str] = ()
    stargazers: Sequence[str] = ()

    @property
    def held(self) -> list[HeldVersion]:
        """All versions that are held somewhere, nearest first."""
        return [version for layer in self.layers if isinstance(layer, Held) for version in layer.versions]


@dataclass
class _Composed:
    """The parts of a packument while layers are laid upon each other."""

    name: Name
    versions: dict[str, Manifest] = field(default_factory=dict)
    time: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def lay(self, layer: Held | Offered) -> None:
        """A nearer layer over those that are there."""
        if isinstance(layer, Offered):
            self.versions |= _offered_versions(self.name, layer)
            self.time |= _strings(layer.document.get("time"))
            self.tags |= _strings(layer.document.get("dist-tags"))
            return
        for held in layer.versions:
            self.versions[held.version] = _held_version(self.name, held, self.versions.get(held.version))
            if not held.is_pulled or held.version not in self.time:
                self.time[held.version] = held.created_at
        self.tags |= layer.tags


def compose(shown: Shown) -> Manifest:
    """The packument without tarball addresses: `versions[v].dist` lacks `tarball` until `render`."""
    composed = _Composed(shown.name)
    for layer in reversed(shown.layers):
        composed.lay(layer)
    versions = composed.versions
    tags = {tag: version for tag, version in composed.tags.items() if version in versions}
    latest = tags.get("latest") or newest(versions)
    if latest:
        tags["latest"] = latest
    return {
        "_id": shown.name.full,
        "_rev": shown.revision,
        "name": shown.name.full,
        "dist-tags": tags,
        "versions": versions,
        "time": _times(composed.time, versions),
        **_name_fields(shown, versions.get(latest or "", {})),
    }


def render(packument: Manifest, name: Name, form: str, base_url: str) -> bytes:
    """The JSON bytes of one form, with tarball addresses below `base_url`."""
    full = form == FULL
    versions = {}
    for version, manifest in packument["versions"].items():
        versions[version] = {**(manifest if full else _short(manifest)), "dist": _dist_below(base_url, name, version, manifest["dist"])}
    if full:
        return orjson.dumps({**packument, "versions": versions})
    short = {key: packument[key] for key in ("name", "dist-tags", "time")}
    return orjson.dumps({**short, "modified": packument["time"].get("modified", ""), "versions": versions})


def render_version(packument: Manifest, name: Name, wanted: str, base_url: str) -> bytes | None:
    """One version's manifest by number or tag, or None."""
    version = wanted if wanted in packument["versions"] else packument["dist-tags"].get(wanted)
    if version is None:
        return None
    manifest = packument["versions"][version]
    return orjson.dumps({**manifest, "dist": _dist_below(base_url, name, version, manifest["dist"])})


def _dist_below(base_url: str, name: Name, version: str, dist: Manifest) -> Manifest:
    """`dist` with its addresses below ours: the tarball's, and the attestations', whose path npm asks our host for."""
    addressed = {**dist, "tarball": f"{base_url}/{name.full}/-/{name.tarball(version)}"}
    attestations = dist.get("attestations")
    if isinstance(attestations, dict):
        address = f"{base_url}/-/npm/v1/attestations/{name.full.replace('/', '%2f')}@{version}"
        addressed["attestations"] = {**attestations, "url": address}
    return addressed


def promise(dist: object) -> str:
    """What a `dist` promises of its bytes: its integrity, else `sha1-hex:` and its shasum, else ''."""
    return promised_by(dist.get("integrity"), dist.get("shasum")) if isinstance(dist, dict) else ""


def promised_by(integrity: object, shasum: object) -> str:
    """The same of these two fields of a `dist`."""
    if isinstance(integrity, str) and SRI.fullmatch(integrity):
        return integrity
    return f"sha1-hex:{shasum.lower()}" if isinstance(shasum, str) and SHASUM.fullmatch(shasum) else ""


def promises(document: Manifest) -> dict[str, str]:
    """Version -> promise, for every version of a packument that promises anything."""
    versions = document.get("versions")
    pairs = versions.items() if isinstance(versions, dict) else ()
    found = {version: promise(manifest.get("dist")) for version, manifest in pairs if isinstance(manifest, dict)}
    return {version: promised for version, promised in found.items() if promised and is_version(version)}


def agree(pinned: str, offered: str) -> bool:
    """Whether two promises can be of the same bytes; promises of different kinds are settled by the bytes themselves."""
    if pinned == offered:
        return True
    return not (_kinds(pinned) & _kinds(offered)) or bool(set(pinned.split()) & set(offered.split()))


def _kinds(promised: str) -> set[str]:
    return {part.replace(":", "-").partition("-")[0] for part in promised.split()}


def _offered_versions(name: Name, layer: Offered) -> dict[str, Manifest]:
    """An upstream's versions that are well formed, their promises overruled by the pins."""
    found = {}
    versions = layer.document.get("versions")
    for version, manifest in versions.items() if isinstance(versions, dict) else ():
        if not is_version(version) or not isinstance(manifest, dict) or not isinstance(manifest.get("dist"), dict):
            continue
        if not is_same(manifest.get("version"), version) or manifest.get("name") != name.full:
            continue
        cleaned = {key: value for key, value in manifest.items() if key not in {"readme", "dist"}}
        found[version] = {**cleaned, "version": version, "dist": _offered_dist(manifest["dist"], layer.pins.get(version, ""))}
    return found


def _offered_dist(dist: Manifest, pinned: str) -> Manifest:
    kept = {key: value for key, value in dist.items() if key != "tarball"}
    if not pinned or agree(pinned, promise(dist)):
        return kept
    return {"shasum": pinned.partition(":")[2]} if pinned.startswith("sha1-hex:") else {"integrity": pinned}


def _held_version(name: Name, held: HeldVersion, offered: Manifest | None) -> Manifest:
    """Our own copy wins; while the source still promises the same bytes, its newer words about them are shown."""
    trusted = offered if offered is not None and held.is_pulled and agree(held.integrity, promise(offered["dist"])) else None
    source = held.manifest if trusted is None or held.is_corrected else trusted
    manifest = {
        "_id": f"{name.full}@{held.version}",
        **{key: value for key, value in source.items() if key not in {"readme", "readmeFilename"}},
        "name": name.full,
        "version": held.version,
        "dist": _held_dist(held, (trusted or source).get("dist") or {}),
    }
    if trusted is not None and held.is_corrected:  # about the bytes it has nothing to say any more, only of what it thinks of them
        manifest.pop("deprecated", None)
        manifest |= {"deprecated": trusted["deprecated"]} if "deprecated" in trusted else {}
    if held.deprecated:
        manifest["deprecated"] = held.deprecated
    if held.publisher and not held.is_pulled:
        manifest["_npmUser"] = {"name": held.publisher, "email": ""}
    return manifest


def _held_dist(held: HeldVersion, dist: Manifest) -> Manifest:
    """Our own hashes. A source's signature covers its own spelling of the integrity, which stays if it is of the same bytes."""
    verified = (held.manifest.get("dist") or {}).get("integrity")
    spelled = dist.get("integrity")
    keeps = "signatures" in dist and isinstance(spelled, str) and (spelled == verified or held.integrity in spelled.split())
    kept = {key: value for key, value in dist.items() if key != "tarball"}
    kept |= {"integrity": spelled if keeps else held.integrity, "shasum": held.shasum}
    if held.signatures:
        theirs = dist.get("signatures")
        kept["signatures"] = [*(theirs if isinstance(theirs, list) else []), *held.signatures]
    return kept


def _short(manifest: Manifest) -> Manifest:
    short = {key: manifest[key] for key in SHORT_FIELDS if key in manifest}
    scripts = manifest.get("scripts")
    if "hasInstallScript" not in short and isinstance(scripts, dict) and any(scripts.get(key) for key in INSTALL_SCRIPTS):
        short["hasInstallScript"] = True
    return short


def _times(time: Mapping[str, str], versions: Mapping[str, Manifest]) -> dict[str, str]:
    """`created`, `modified` and the time of each version shown, oldest first."""
    of_versions = dict(sorted(((v, t) for v, t in time.items() if v in versions), key=lambda pair: pair[1]))
    moments = [*of_versions.values(), *(time[key] for key in ("created", "modified") if key in time)]
    if not moments:
        return of_versions
    return {"created": min(moments), "modified": max(moments), **of_versions}


def _name_fields(shown: Shown, latest: Manifest) -> Manifest:
    """Fields of the name as a whole: from the nearest source's document, else from the latest version."""
    own = next((held for held in shown.held if held.version == latest.get("version") and not held.is_pulled), None)
    offered = next((layer.document for layer in shown.layers if isinstance(layer, Offered)), latest)
    source = own.manifest if own is not None else offered
    fields = {key: source[key] for key in NAME_FIELDS if key in source}
    maintainers = source.get("maintainers") if own is None else None
    if shown.maintainers or not isinstance(maintainers, list):
        names = shown.maintainers or sorted({held.publisher for held in shown.held if held.publisher and not held.is_pulled})
        maintainers = [{"name": maintainer, "email": ""} for maintainer in names]
    users = {"users": dict.fromkeys(shown.stargazers, True)} if shown.stargazers else {}
    return {**fields, "maintainers": maintainers, **users}


def _strings(value: object) -> dict[str, str]:
    """The entries of a JSON object that are strings; anything else counts as empty."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {key: text for key, text in pairs if isinstance(text, str)}
