"""Somebody a provider has vouched for, on the way to an account here: kept in the session until the form is sent.

What is kept (an OAuth token and an e-mail address among it) is sealed: sessions lie in the database.
"""

import time
from dataclasses import asdict

import orjson
from django.http import HttpRequest

from tokens.services.identities import PURPOSE, Visitor
from workspaces.seal import SealBroken, seal, unseal

KEY, INVITED = "newcomer", "invited_until"
LIFE = 1800  # seconds to fill in a short form


def keep(request: HttpRequest, visitor: Visitor, after: str) -> None:
    """Remember who is about to sign up, and where they wanted to go."""
    said = orjson.dumps({"visitor": asdict(visitor), "after": after, "until": time.time() + LIFE}).decode()
    request.session[KEY] = seal(said, PURPOSE).decode("ascii")


def kept(request: HttpRequest) -> tuple[Visitor, str] | None:
    """Who is about to sign up in this browser, if that is not too long ago."""
    sealed = request.session.get(KEY)
    if not isinstance(sealed, str):
        return None
    try:
        said = orjson.loads(unseal(sealed.encode("ascii"), PURPOSE))
    except SealBroken:
        return None
    return (Visitor(**said["visitor"]), str(said["after"])) if said["until"] > time.time() else None


def forget(request: HttpRequest) -> None:
    """They have an account now, or none will be made."""
    request.session.pop(KEY, None)


def invite(request: HttpRequest) -> None:
    """Whoever opened an invitation that is good may make an account in this browser; its page calls this."""
    request.session[INVITED] = time.time() + LIFE


def is_invited(request: HttpRequest) -> bool:
    """Whether whoever uses this browser opened such an invitation not long ago."""
    until = request.session.get(INVITED)
    return isinstance(until, float) and until > time.time()
