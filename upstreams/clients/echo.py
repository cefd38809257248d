"""An answer that repeats our own credentials is withheld (threats.md U15): readers here are not those who may know them."""

import base64
import binascii

import orjson

from upstreams.clients.http import Target
from upstreams.errors import UpstreamBadAnswer

SHORTEST = 12  # characters: a shorter password may stand in any innocent document
PIECE = 24  # characters of a long one that stand in nothing innocent: names are cut where theirs end


def refuse_echo(target: Target, written: bytes) -> None:
    """Raise UpstreamBadAnswer if `written`, what was sent as orjson writes it, holds what we authenticate with at `target`."""
    for secret in (*secrets_of(target.authorization), *target.secrets):
        if len(secret) >= SHORTEST and orjson.dumps(secret)[1:-1] in written:
            raise UpstreamBadAnswer(f"Upstream {target.name} sent our own credentials back; its answer is withheld.", upstream=target.name)


def is_echo(target: Target, text: str) -> bool:
    """Whether a short text, like a name, holds what we authenticate with at `target`, or a piece of it."""
    known = [secret for secret in (*secrets_of(target.authorization), *target.secrets) if len(secret) >= SHORTEST]
    pieces = [text[start : start + PIECE] for start in range(len(text) - PIECE + 1)] if known else []
    return any(secret in text or any(piece in secret for piece in pieces) for secret in known)


def secrets_of(authorization: str) -> list[str]:
    """The header's credentials, and for Basic the password in them."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme != "Basic":
        return [credentials]
    try:
        return [credentials, base64.b64decode(credentials).decode().partition(":")[2]]
    except (binascii.Error, UnicodeDecodeError):  # not of our making: only the header's own text is looked for
        return [credentials]
