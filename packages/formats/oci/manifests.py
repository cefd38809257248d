"""Manifests: what they name, from their exact bytes, which nobody rewrites. Pure.

OCI Image Specification 1.1 (manifest.md, image-index.md, descriptor.md) and Docker's Image Manifest Version 2, Schema 2.
Unknown fields, media types of configs and layers, and the values of annotations are the sender's business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from packages.formats.oci.digests import parse_digest
from packages.formats.oci.errors import DigestInvalid, ManifestInvalid

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
IMAGES, INDEXES = frozenset({OCI_MANIFEST, DOCKER_MANIFEST}), frozenset({OCI_INDEX, DOCKER_LIST})
LIMIT = 4 * 1024 * 1024  # bytes of a manifest; the specification asks that at least so many are taken
MOST = 10_000  # descriptors of one manifest
# Layers that need not be here: their bytes are fetched elsewhere (layer.md, "Non-distributable layers"; Docker's foreign layers).
ELSEWHERE = ("application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign.")


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """A reference to bytes: their media type, digest and size; `is_elsewhere`: they need not be in the repository."""

    media_type: str
    digest: str
    size: int
    is_elsewhere: bool = False
    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """An image or artifact (`config`, `layers`), or an index (`children`)."""

    media_type: str
    artifact_type: str
    config: Descriptor | None = None
    layers: tuple[Descriptor, ...] = ()
    children: tuple[Descriptor, ...] = ()
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        """It names manifests, no layers."""
        return self.media_type in INDEXES

    @property
    def blobs(self) -> Iterator[Descriptor]:
        """Config and layers, as they stand there."""
        if self.config is not None:
            yield self.config
        yield from self.layers

    @property
    def refers_as(self) -> str:
        """Its type in a list of referrers: its own, else its config's; an index without one has none (image-index.md)."""
        return self.artifact_type or (self.config.media_type if self.config is not None else "")


def parse_manifest(content: bytes, content_type: str) -> Manifest:
    """What the bytes say; `content_type` as the header has it, '' where there was none. Raises ManifestInvalid, DigestInvalid."""
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ManifestInvalid(f"The manifest is not JSON in UTF-8: {error.msg}.") from None
    if not isinstance(found, dict):
        raise ManifestInvalid("The manifest is not a JSON object.")
    media_type = _media_type(found, content_type.partition(";")[0].strip())
    _check_shape(found, media_type)
    words = {
        "media_type": media_type,
        "artifact_type": _text(found, "artifactType"),
        "subject": _optional(found, "subject"),
        "annotations": _words(found.get("annotations")),
    }
    if media_type in INDEXES:
        return Manifest(**words, children=_descriptors(found, "manifests"))  # type: ignore[arg-type]  # each has its own type
    return Manifest(**words, config=_descriptor(found.get("config"), "config"), layers=_descriptors(found, "layers"))  # type: ignore[arg-type]


def _media_type(found: Mapping[str, object], declared: str) -> str:
    said = found.get("mediaType")
    if said is not None and not isinstance(said, str):
        raise ManifestInvalid("mediaType is no text.", fields={"mediaType": "type"})
    if said and declared and said != declared:
        raise ManifestInvalid(f"Content-Type says {declared[:120]}, the manifest {said[:120]}.", fields={"mediaType": "differs"})
    media_type = declared or said or (OCI_INDEX if "manifests" in found else OCI_MANIFEST)
    if media_type not in IMAGES | INDEXES:
        known = ", ".join(sorted(IMAGES | INDEXES))
        raise ManifestInvalid(
            f"Manifests of the type {media_type[:120]} are not taken; these are: {known}.", fields={"mediaType": "unknown"}
        )
    return media_type


def _check_shape(found: Mapping[str, object], media_type: str) -> None:
    """One thing only: an image that is also an index means something else to every reader (CVE-2021-41190)."""
    if found.get("schemaVersion") != 2:  # noqa: PLR2004 - manifest.md
        raise ManifestInvalid("schemaVersion is not 2.", fields={"schemaVersion": "not 2"})
    foreign = {"config", "layers", "fsLayers"} if media_type in INDEXES else {"manifests", "fsLayers"}
    named = sorted(foreign & found.keys())
    if named:
        raise ManifestInvalid(f"A manifest of the type {media_type} has no {named[0]!r}.", fields={named[0]: "foreign"})


def _descriptors(found: Mapping[str, object], name: str) -> tuple[Descriptor, ...]:
    listed = found.get(name)
    if not isinstance(listed, list):
        raise ManifestInvalid(f"{name} is no list.", fields={name: "type"})
    if len(listed) > MOST:
        raise ManifestInvalid(f"{name} names more than {MOST:,} things.", fields={name: "too many"})
    return tuple(_descriptor(one, f"{name}.{place}") for place, one in enumerate(listed))


def _optional(found: Mapping[str, object], name: str) -> Descriptor | None:
    return None if found.get(name) is None else _descriptor(found[name], name)


def _descriptor(found: object, name: str) -> Descriptor:
    if not isinstance(found, dict):
        raise ManifestInvalid(f"{name} is no descriptor.", fields={name: "type"})
    size, digest, media_type = found.get("size"), found.get("digest"), found.get("mediaType")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 2**63:
        raise ManifestInvalid(f"{name}.size is no number of bytes.", fields={f"{name}.size": "number"})
    if not isinstance(media_type, str) or not isinstance(digest, str):
        raise ManifestInvalid(f"{name} has no mediaType, or no digest.", fields={name: "incomplete"})
    try:
        parse_digest(digest)
    except DigestInvalid as error:
        raise DigestInvalid(f"{name}: {error.message}", fields={f"{name}.digest": "grammar"}) from None
    return Descriptor(
        media_type=media_type,
        digest=digest,
        size=size,
        is_elsewhere=media_type.startswith(ELSEWHERE) or bool(found.get("urls")),
        artifact_type=_text(found, "artifactType"),
        annotations=_words(found.get("annotations")),
        platform=_words(found.get("platform")),
    )


def _text(found: Mapping[str, object], name: str) -> str:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise ManifestInvalid(f"{name} is no text.", fields={name: "type"})
    return value or ""


def _words(value: object) -> Mapping[str, str]:
    """The entries that are text."""
    return {key: word for key, word in value.items() if isinstance(word, str)} if isinstance(value, dict) else {}
