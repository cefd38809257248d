"""From an npm write document to what it asks for: publish, deprecate or star (reference/npm.md, rule 9). Pure."""

import base64
import binascii
import re
from collections.abc import Mapping
from enum import StrEnum

from packages.formats.errors import ContentInvalid, DocumentInvalid, IntegrityMismatch, NotSupported
from packages.formats.npm.attachments import ATTACHMENTS, Sink
from packages.formats.npm.differences import differences
from packages.formats.npm.manifest import stored_manifest
from packages.formats.npm.names import Name, parse_new
from packages.formats.npm.normalise import clean_version, normalise
from packages.formats.npm.tarball import Inspected, inspect
from packages.formats.npm.versions import check_tag, check_version
from packages.formats.publication import Publication, StagedFile

TAGS_LIMIT = 100
DEPRECATED_LIMIT = 4096  # characters
INTEGRITY_LIMIT = 4096  # characters
SRI = re.compile(r"([a-z0-9]{1,16})-([A-Za-z0-9+/]{1,128}={0,2})(?:\?\S*)?")


class Kind(StrEnum):
    """What a `PUT /:pkg` asks for."""

    PUBLISH = "publish"
    DEPRECATE = "deprecate"
    STAR = "star"


class Intake:
    """Takes the one tarball of a publish body: hand `sink_for` to `scan`, afterwards `name` is the attachment's."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.name: str | None = None

    def sink_for(self, name: str) -> Sink:
        """Where the attachment `name` goes. Raises NotSupported for provenance, DocumentInvalid for a second one."""
        if name.endswith(".sigstore"):
            raise NotSupported("Provenance (npm publish --provenance) is not supported here yet; publish without it.")
        if self.name is not None:
            raise DocumentInvalid("A publish carries exactly one tarball.", fields={ATTACHMENTS: "more than one"})
        self.name = name
        return self._sink


def kind_of(document: Mapping[str, object]) -> Kind:
    """Which of the three things the document asks for. Raises DocumentInvalid when it is none."""
    if document.get(ATTACHMENTS):
        return Kind.PUBLISH
    if document.get("versions"):
        return Kind.DEPRECATE
    if "users" in document:
        return Kind.STAR
    raise DocumentInvalid("The document has neither a tarball nor versions.", fields={ATTACHMENTS: "missing"})


def parse_publish(name: str, document: Mapping[str, object], attachment: str | None, file: StagedFile) -> Publication:
    """A checked publication of `name`, the name in the address, with the tarball staged as `file`.

    Raises NameInvalid, VersionInvalid, TagInvalid, DocumentInvalid, IntegrityMismatch, ContentInvalid, TooLarge.
    """
    known = parse_new(name)
    check_names(name, document)
    version, manifest = _only_version(known, document)
    tags = _tags(version, document)
    _check_attachment(known, version, document, attachment, file)
    _check_dist(manifest, file)
    with file.open() as opened:
        inspected = inspect(opened)
    check_inside(known, version, inspected)
    truth = normalise(inspected.package, inspected.files, inspected.authors)
    readme = document.get("readme")
    stored = stored_manifest(truth, name=name, version=version, file=file, inspected=inspected, sent=manifest, readme=readme)
    return Publication(
        format="npm",
        name=name,
        version=version,
        manifest=stored,
        tags=tags,
        filename=known.tarball(version),
        file=file,
        deprecated=deprecation_text(manifest.get("deprecated", ""), version),
        differences=tuple(differences(manifest, inspected.package, truth)),
        # "public" is no wish: yarn 4 sends it unasked, and what is public is the registry's own affair.
        is_restricted=document.get("access") == "restricted",
    )


def publication_from_tarball(file: StagedFile, tag: str = "latest") -> Publication:
    """A publication of a bare tarball, as uploaded: its own package.json is all there is to go by.

    Raises ContentInvalid, NameInvalid, VersionInvalid, TagInvalid.
    """
    with file.open() as opened:
        inspected = inspect(opened)
    name, version = parse_new(inspected.package.get("name")), check_version(inspected.package.get("version"))
    truth = normalise(inspected.package, inspected.files, inspected.authors)
    manifest = stored_manifest(truth, name=name.full, version=version, file=file, inspected=inspected, sent={})
    return Publication(
        format="npm",
        name=name.full,
        version=version,
        manifest=manifest,
        tags=(check_tag(tag),),
        filename=name.tarball(version),
        file=file,
    )


def deprecations(document: Mapping[str, object]) -> dict[str, str]:
    """Version to message, for the versions that carry the field; an empty message takes the deprecation away.

    A version without the field is left as it is: the client may have read it before somebody else set it.
    """
    found: dict[str, str] = {}
    for version, manifest in _versions(document).items():
        if not isinstance(manifest, dict):
            raise DocumentInvalid(f"Version {version[:80]!r} is not an object.", fields={"versions": "not an object"})
        if "deprecated" in manifest:
            found[version] = deprecation_text(manifest["deprecated"], version)
    return found


def deprecation_text(value: object, version: str) -> str:
    """A message to store: some clients say false or null for none. Raises DocumentInvalid."""
    if value is None or value is False:
        return ""
    if not isinstance(value, str):
        raise DocumentInvalid(f"`deprecated` of {version[:80]} is not a string.", fields={"deprecated": "not a string"})
    if len(value) > DEPRECATED_LIMIT:
        sentence = f"`deprecated` of {version[:80]} has more than {DEPRECATED_LIMIT:,} characters."
        raise DocumentInvalid(sentence, fields={"deprecated": "length"})
    return value.replace("\0", "")


def named_versions(document: Mapping[str, object]) -> set[str]:
    """The versions a document lists. Raises DocumentInvalid."""
    return set(_versions(document))


def check_names(name: str, document: Mapping[str, object]) -> None:
    """The document speaks of `name` and of no other. Raises DocumentInvalid."""
    if document.get("name") != name:
        raise DocumentInvalid(f"The address says {name}, but the document's name is another.", fields={"name": "differs"})
    if document.get("_id", name) != name:
        raise DocumentInvalid(f"The address says {name}, but the document's _id is another.", fields={"_id": "differs"})


def _versions(document: Mapping[str, object]) -> dict[str, object]:
    versions = document.get("versions")
    if not isinstance(versions, dict):
        raise DocumentInvalid("`versions` is not an object.", fields={"versions": "not an object"})
    return versions


def _only_version(name: Name, document: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    versions = _versions(document)
    if len(versions) != 1:
        raise DocumentInvalid("A publish carries exactly one version.", fields={"versions": "not exactly one"})
    key, manifest = next(iter(versions.items()))
    version = check_version(key)
    if not isinstance(manifest, dict):
        raise DocumentInvalid(f"Version {version} is not an object.", fields={"versions": "not an object"})
    if manifest.get("version") != version:
        raise DocumentInvalid(f"Version {version} says it is another one.", fields={"version": "differs"})
    if manifest.get("name") != name.full:
        raise DocumentInvalid(f"Version {version} is of another package than {name.full}.", fields={"name": "differs"})
    return version, manifest


def _tags(version: str, document: Mapping[str, object]) -> tuple[str, ...]:
    tags = document.get("dist-tags", {})
    if not isinstance(tags, dict) or len(tags) > TAGS_LIMIT:
        raise DocumentInvalid("`dist-tags` is not an object of tags.", fields={"dist-tags": "not an object"})
    for tag, target in tags.items():
        check_tag(tag)
        if target != version:
            raise DocumentInvalid(f"The tag {tag} does not name the version {version}.", fields={"dist-tags": "differs"})
    return tuple(tags)


def _check_attachment(name: Name, version: str, document: Mapping[str, object], attachment: str | None, file: StagedFile) -> None:
    """Exactly one attachment, under the tarball's name, of the length it promises."""
    entries = document.get(ATTACHMENTS)
    if not isinstance(entries, dict) or len(entries) != 1:
        raise DocumentInvalid("A publish carries exactly one tarball.", fields={ATTACHMENTS: "not exactly one"})
    key, entry = next(iter(entries.items()))
    if key not in {f"{name.full}-{version}.tgz", name.tarball(version)}:
        raise DocumentInvalid(f"The attachment is not named {name.tarball(version)}.", fields={ATTACHMENTS: "name"})
    if not isinstance(entry, dict) or attachment != key or not isinstance(entry.get("data"), str):
        raise DocumentInvalid("The attachment has no data.", fields={ATTACHMENTS: "no data"})
    length = entry.get("length", file.size)
    if type(length) is not int or length != file.size:
        raise IntegrityMismatch(f"The attachment has {file.size} bytes, not the `length` it states.", fields={"length": "differs"})


def _check_dist(manifest: Mapping[str, object], file: StagedFile) -> None:
    """What the client says of the bytes is true. Raises IntegrityMismatch, DocumentInvalid."""
    dist = manifest.get("dist", {})
    if not isinstance(dist, dict):
        raise DocumentInvalid("`dist` is not an object.", fields={"dist": "not an object"})
    shasum, integrity = dist.get("shasum"), dist.get("integrity")
    if shasum is not None and (not isinstance(shasum, str) or shasum.lower() != file.sha1):
        raise IntegrityMismatch("The tarball's SHA-1 is not the `dist.shasum` stated.", fields={"shasum": "differs"})
    if integrity is None:
        return
    if not isinstance(integrity, str) or len(integrity) > INTEGRITY_LIMIT:
        raise DocumentInvalid("`dist.integrity` is not an integrity string.", fields={"integrity": "not SRI"})
    _check_integrity(integrity, file)


def _check_integrity(text: str, file: StagedFile) -> None:
    """W3C Subresource Integrity: of each algorithm we computed, one of the hashes stated must be the file's."""
    own = {"sha1": file.sha1, "sha256": file.sha256, "sha512": file.sha512}
    stated: dict[str, set[str]] = {}
    for item in text.split():
        found = SRI.fullmatch(item)
        try:
            digest = base64.b64decode(found[2], validate=True).hex() if found else ""
        except binascii.Error:
            found = None
        if found is None:
            raise DocumentInvalid("`dist.integrity` is not an integrity string.", fields={"integrity": "not SRI"})
        stated.setdefault(found[1], set()).add(digest)
    if not stated:
        raise DocumentInvalid("`dist.integrity` is empty.", fields={"integrity": "not SRI"})
    for algorithm, digests in stated.items():
        if algorithm in own and own[algorithm] not in digests:
            raise IntegrityMismatch("The tarball is not what `dist.integrity` states.", fields={"integrity": "differs"})


def check_inside(name: Name, version: str, inspected: Inspected) -> None:
    """The package.json in the tarball names this very package and version. Raises ContentInvalid."""
    inner_name, inner_version = inspected.package.get("name"), inspected.package.get("version")
    if not isinstance(inner_name, str) or inner_name.strip() != name.full:
        raise ContentInvalid(f"package.json in the tarball says the name is {_shown(inner_name)}, the document says {name.full}.")
    if not isinstance(inner_version, str) or not _same_version(inner_version, version):
        raise ContentInvalid(f"package.json in the tarball says version {_shown(inner_version)}, the document says {version}.")


def _same_version(inner: str, version: str) -> bool:
    """What npm sends: `semver.clean(version)`, that is no blanks, no leading v or =, no build metadata."""
    cleaned = inner.strip().lstrip("=v").strip()
    return version in {cleaned, cleaned.partition("+")[0]} or version.partition("+")[0] == clean_version(inner)


def _shown(value: object) -> str:
    return repr(value[:80]) if isinstance(value, str) else "nothing" if value is None else "no string"
