"""Upstream secrets at rest."""

from workspaces import seal as sealing
from workspaces.seal import SealBroken

PURPOSE = "gatehouse upstream secrets"

__all__ = ["SealBroken", "seal", "unseal"]


def seal(secret: str) -> bytes:
    """Encrypt a secret for the database."""
    return sealing.seal(secret, PURPOSE)


def unseal(sealed: bytes) -> str:
    """The secret again. Raises SealBroken."""
    return sealing.unseal(sealed, PURPOSE)
