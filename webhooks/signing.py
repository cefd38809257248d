"""Signatures as Standard Webhooks has them (standardwebhooks.com, symmetric `v1`): HMAC-SHA256 over id, time and body."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
FEWEST, MOST = 24, 64  # bytes of a key, by the standard
OURS = 32


def new_secret() -> str:
    """A fresh one."""
    return PREFIX + base64.b64encode(secrets.token_bytes(OURS)).decode("ascii")


def key_of(secret: str) -> bytes:
    """The key in it. Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True) if secret.startswith(PREFIX) else b""
    except binascii.Error:
        key = b""
    if not FEWEST <= len(key) <= MOST:
        raise ValueError(f"A signing secret is {PREFIX} and base64 of {FEWEST} to {MOST} bytes.")
    return key


def headers_of(uid: str, timestamp: int, body: bytes, secrets_held: Iterable[str]) -> dict[str, str]:
    """The three headers; a signature for each secret that counts at this moment."""
    signed = f"{uid}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(key_of(one), signed, hashlib.sha256)).decode("ascii") for one in secrets_held]
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }
