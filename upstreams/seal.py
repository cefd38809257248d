"""Upstream secrets at rest: sealed under OAUTH_PASSWORD (Fernet: AES-128-CBC with HMAC-SHA-256)."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class SealBroken(Exception):
    """A secret cannot be read with the present OAUTH_PASSWORD."""


def seal(secret: str) -> bytes:
    """Encrypt a secret for the database."""
    return _fernet().encrypt(secret.encode("utf-8"))


def unseal(sealed: bytes) -> str:
    """The secret again. Raises SealBroken."""
    try:
        return _fernet().decrypt(bytes(sealed)).decode("utf-8")
    except InvalidToken:
        raise SealBroken("a stored secret was sealed under another OAUTH_PASSWORD") from None


def _fernet() -> Fernet:
    key = hashlib.sha256(b"gatehouse upstream secrets\x00" + settings.OAUTH_PASSWORD.encode("utf-8")).digest()
    return Fernet(base64.urlsafe_b64encode(key))
