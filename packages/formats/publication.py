"""What a door hands to `packages.services.publish`, whatever the format. Pure."""

import base64
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any


@dataclass(frozen=True, kw_only=True)
class StagedFile:
    """Bytes received in full, hashed on the way, lying beside the storage at `path` or still in memory; hashes in hex, size in bytes."""

    path: Path
    content: bytes | None = None  # of a small file that is not on disk yet
    size: int
    sha1: str
    sha256: str
    sha512: str

    def open(self) -> IO[bytes]:
        """Its bytes, from the beginning."""
        return self.path.open("rb") if self.content is None else BytesIO(self.content)

    @property
    def integrity(self) -> str:
        """The SRI form of the SHA-512 (W3C Subresource Integrity)."""
        return "sha512-" + base64.b64encode(bytes.fromhex(self.sha512)).decode("ascii")


@dataclass(frozen=True, kw_only=True)
class Publication:
    """One version as a client publishes it: manifest as JSON bytes, tags to move, its file."""

    format: str
    name: str
    version: str
    manifest: bytes
    tags: tuple[str, ...]
    filename: str
    file: StagedFile
    deprecated: str = ""
    differences: tuple[dict[str, Any], ...] = ()  # where the client's words and the file disagree: {field, document, tarball}
    is_restricted: bool = False  # asked for members only; counts when this is the package's first version
