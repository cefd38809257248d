"""The form of a token: `gth_` + 40 base-62 characters + a 6-character checksum (CONTRACT.md section 5). Pure."""

import hashlib
import re
import secrets
import zlib

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FORM = re.compile(r"gth_([0-9A-Za-z]{40})([0-9A-Za-z]{6})")
# What looks like a token, however long, the number of a login that is waiting for its token, and the secret of an invitation.
TOLD = re.compile(r"(gth_|ent_v1_)[^\s/?&\"']+|(?:(?<=/poll/)|(?<=/account/invitations/))[^\s/?&\"']+")


def new_secret() -> str:
    """A fresh secret with 238 bits of chance."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(40))
    return f"gth_{body}{checksum(body)}"


def masked(text: str) -> str:
    """The text fit for a log: npm and Entropic put secrets into addresses, and an invitation is one."""
    return TOLD.sub(lambda found: f"{found[1] or ''}***", text)


def checksum(body: str) -> str:
    """CRC-32 of the body in six base-62 digits, so that a scanner can spot a real token offline."""
    number, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = ALPHABET[digit] + digits
    return digits


def is_secret(text: str) -> bool:
    """Whether `text` has the form of one of our tokens, checksum included."""
    found = FORM.fullmatch(text)
    return found is not None and checksum(found[1]) == found[2]


def digest(secret: str) -> str:
    """What is stored of a secret: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
