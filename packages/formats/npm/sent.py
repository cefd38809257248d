"""A packument as it was sent, taken apart only where somebody looks. Pure.

Whoever pulls one file needs one version's manifest and what is promised of all. Everything else is read past: JSON like all of
it, but without objects, whose memory does not come free again (a tenth of the time on documents of some megabytes).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from packages.formats.npm.packument import Manifest, promise
from packages.formats.npm.versions import is_version


class Sent:
    """The bytes of a packument that has a name and versions; the bytes of each version are JSON."""

    def __init__(self, data: bytes) -> None:
        """Raises ValueError when it is not JSON in UTF-8 (RFC 8259), NotMetadata when it is but no packument; RecursionError."""
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
        found = {version: promise(_dist(raw)) for version, raw in self._versions.items()}
        return {version: promised for version, promised in found.items() if promised and is_version(version)}


class NotMetadata(Exception):
    """JSON, but not what an npm registry says of a package."""


class _Outline(msgspec.Struct):
    versions: dict[str, msgspec.Raw]
    name: Any = None
    tags: Any = msgspec.field(name="dist-tags", default=None)


class _Manifest(msgspec.Struct):
    dist: Any = None


_OUTLINE = msgspec.json.Decoder(_Outline)
_MANIFEST = msgspec.json.Decoder(_Manifest)


def _dist(raw: msgspec.Raw) -> object:
    try:
        return _MANIFEST.decode(raw).dist
    except msgspec.ValidationError:  # no object
        return None
