"""Secrets at rest: sealed under OAUTH_PASSWORD (Fernet: AES-128-CBC with HMAC-SHA-256), with a key for each purpose."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class SealBroken(Exception):
    """A secret cannot be read with the present OAUTH_PASSWORD."""


def seal(secret: str, purpose: str) -> bytes:
    """Encrypt a secret for the database; what is sealed for one purpose opens for no other."""
    return _fernet(purpose).encrypt(secret.encode("utf-8"))


def unseal(sealed: bytes, purpose: str) -> str:
    """The secret again. Raises SealBroken."""
    try:
        return _fernet(purpose).decrypt(bytes(sealed)).decode("utf-8")
    except InvalidToken:
        raise SealBroken("a stored secret was sealed under another OAUTH_PASSWORD") from None


def _fernet(purpose: str) -> Fernet:
    key = hashlib.sha256(f"{purpose}\x00{settings.OAUTH_PASSWORD}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
