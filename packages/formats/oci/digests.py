"""Digests, `algorithm:hex` (OCI Image Specification 1.1, descriptor.md, "Digests"). Pure."""

import hashlib
import re
from dataclasses import dataclass

from packages.formats.oci.errors import DigestInvalid

LENGTHS = {"sha256": 64, "sha512": 128}  # hexadecimal digits of each algorithm that is known here
HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Digest:
    """The algorithm and the lower-case hexadecimal digits."""

    algorithm: str
    encoded: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.encoded}"


def parse_digest(text: str) -> Digest:
    """A digest of an algorithm that is known here. Raises DigestInvalid."""
    algorithm, colon, encoded = text.partition(":")
    if not colon or len(encoded) != LENGTHS.get(algorithm) or not HEX.fullmatch(encoded):
        known = ", ".join(f"{name} with {length}" for name, length in LENGTHS.items())
        said = f"{text[:160]!r} is not a digest: algorithm, colon, lower-case hexadecimal digits ({known})."
        raise DigestInvalid(said, fields={"digest": "grammar"})
    return Digest(algorithm, encoded)


def is_reference_by_digest(reference: str) -> bool:
    """Whether a reference means a digest, well formed or not: a tag holds no colon."""
    return ":" in reference


def digest_of(content: bytes, algorithm: str = "sha256") -> Digest:
    """The digest of these bytes by a known algorithm."""
    return Digest(algorithm, hashlib.new(algorithm, content).hexdigest())
