"""What `npm pack` and `npm publish` make, in memory: tarballs, manifests and publish documents."""

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FIXED = 499162500  # 1985-10-26, the time npm writes into every tarball


@dataclass(frozen=True)
class Packed:
    """One version, packed: its package.json and its tarball."""

    name: str
    version: str
    manifest: Mapping[str, Any]
    tarball: bytes = field(repr=False)

    @property
    def integrity(self) -> str:
        """SRI of the tarball."""
        return sri(self.tarball)

    @property
    def shasum(self) -> str:
        """SHA-1 of the tarball in hex."""
        return hashlib.sha1(self.tarball, usedforsecurity=False).hexdigest()

    @property
    def filename(self) -> str:
        """The file name clients ask for: without the scope."""
        return f"{self.name.rpartition('/')[2]}-{self.version}.tgz"


def sri(content: bytes) -> str:
    """The SRI form of the SHA-512."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode("ascii")


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A reproducible .tgz of these files."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = len(content), FIXED, 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(plain.getvalue(), mtime=0)


def pack(name: str, version: str = "1.0.0", *, text: str = "", files: Mapping[str, bytes] | None = None, **manifest: Any) -> Packed:
    """Pack one version. `text` makes its bytes different, `manifest` adds to its package.json (dependencies, bin …)."""
    document = {"name": name, "version": version, "description": f"{name} for tests", "main": "index.js", **manifest}
    body = f"module.exports = {json.dumps(f'{name}@{version}{text}')};\n".encode()
    inside = {"package/package.json": json.dumps(document, indent=2).encode(), "package/index.js": body}
    inside |= {f"package/{path}": content for path, content in (files or {}).items()}
    return Packed(name, version, document, tar_gz(inside))


def publish_document(packed: Packed, *, tag: str = "latest", **changes: Any) -> dict[str, Any]:
    """The body of `npm publish`, as npm 11 sends it. `changes` replaces top-level keys."""
    dist = {
        "integrity": packed.integrity,
        "shasum": packed.shasum,
        "tarball": f"http://registry.example.org/{packed.name}/-/{packed.filename}",
    }
    manifest = {**packed.manifest, "_id": f"{packed.name}@{packed.version}", "readme": f"# {packed.name}", "dist": dist}
    data = base64.b64encode(packed.tarball).decode("ascii")
    attachment = {"content_type": "application/octet-stream", "data": data, "length": len(packed.tarball)}
    return {
        "_id": packed.name,
        "name": packed.name,
        "description": packed.manifest.get("description", ""),
        "dist-tags": {tag: packed.version},
        "versions": {packed.version: manifest},
        "access": None,
        "_attachments": {f"{packed.name}-{packed.version}.tgz": attachment},
        **changes,
    }
