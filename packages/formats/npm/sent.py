"""A packument as it was sent, taken apart only where somebody looks. Pure.

Whoever pulls one file needs one version's manifest and what is promised of all. Everything else is read past: JSON like all of
it, but without objects, whose memory does not come free again (a tenth of the time on documents of some megabytes).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson

from packages.formats.npm.packument import Manifest, promised_by
from packages.formats.npm.versions import is_version

OTHERS = bytes(set(range(256)) - set(b"{["))
OUTSIDE = 2  # a version lies in the packument and in its list of versions


class Sent:
    """The bytes of a packument that has a name and versions; the bytes of each version are JSON."""

    def __init__(self, data: bytes) -> None:
        """Raises ValueError when it is not JSON in UTF-8 (RFC 8259), NotMetadata when it is but no packument; RecursionError."""
        if not data.isascii():
            data.decode("utf-8")  # what is read past is not looked at otherwise
        try:
            outline = _OUTLINE.decode(data)
        except msgspec.ValidationError:
            raise NotMetadata from None
        self.data = data
        self.name = outline.name
        self.tags: Mapping[str, object] = outline.tags if isinstance(outline.tags, dict) else {}
        self._versions = outline.versions

    def only(self, version: str) -> Manifest:
        """As much of the packument as says something of that version."""
        raw = self._versions.get(version)
        return {"versions": {} if raw is None else {version: orjson.loads(memoryview(raw))}}

    def promises(self) -> Mapping[str, str]:
        """Version -> what is promised of its bytes, for every version that promises anything."""
        found = {}
        for version, dist in zip(self._versions, self._dists(), strict=True):
            promised = "" if dist is None else promised_by(dist.integrity, dist.shasum)
            if promised and is_version(version):
                found[version] = promised
        return found

    def nests_within(self, depth: int) -> bool:
        """Whether it certainly nests no deeper: by counting what opens, in each version and beside them, text included."""
        beside = _openings(self.data)
        for raw in self._versions.values():
            inside = _openings(bytes(raw))
            beside -= inside
            if inside + OUTSIDE > depth:
                return False
        return beside <= depth

    def _dists(self) -> "Sequence[_Dist | None]":
        """Of each version, in their order: all at once where each has one, or none."""
        try:
            return [one.dist for one in _DISTS.decode(self.data).versions.values()]
        except msgspec.ValidationError:
            return [_dist(raw) for raw in self._versions.values()]


class NotMetadata(Exception):
    """JSON, but not what an npm registry says of a package."""


class _Outline(msgspec.Struct):
    versions: dict[str, msgspec.Raw]
    name: Any = None
    tags: Any = msgspec.field(name="dist-tags", default=None)


class _Dist(msgspec.Struct):
    integrity: Any = None
    shasum: Any = None


class _Manifest(msgspec.Struct):
    dist: _Dist | None = None


class _Dists(msgspec.Struct):
    versions: dict[str, _Manifest]


_OUTLINE = msgspec.json.Decoder(_Outline)
_MANIFEST = msgspec.json.Decoder(_Manifest)
_DISTS = msgspec.json.Decoder(_Dists)


def _dist(raw: msgspec.Raw) -> _Dist | None:
    try:
        return _MANIFEST.decode(raw).dist
    except msgspec.ValidationError:  # it, or its dist, is no object
        return None


def _openings(data: bytes) -> int:
    return len(data.translate(None, OTHERS))  # a third less time than counting each
