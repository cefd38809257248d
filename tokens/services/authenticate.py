"""From the Authorization header to an Actor (CONTRACT.md section 5: Bearer, Basic with password or token)."""

import base64
import binascii
import hashlib
import hmac
import os
import time
from collections import OrderedDict
from threading import Lock

from django.contrib.auth.hashers import check_password, make_password
from django.utils import timezone

from registries.selectors import NamedRights
from tokens import throttle, usage
from tokens.errors import AddressNotAllowed, CredentialsInvalid, SecondFactorNeeded
from tokens.models import SecondFactor
from tokens.secrets import digest
from tokens.selectors import holder_of
from workspaces.access import NOBODY, Actor, Grant, Role
from workspaces.models import Membership, User

PASSWORD_LIMIT = 1024  # characters; hashing more is work for an attacker
REMEMBER_SECONDS = 60
REMEMBER_ENTRIES = 4096


def actor_for(authorization: str, ip: str) -> Actor:
    """Who sent this header. No header is NOBODY; anything not valid raises CredentialsInvalid (401 everywhere)."""
    if not authorization:
        return Actor(ip=ip)
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return actor_of_token(rest.strip(), ip)
    if scheme.lower() == "basic":
        username, password = _basic(rest.strip())
        if password.startswith(("gth_", "ent_v1_")):
            return actor_of_token(password, ip)
        return actor_of_user(verified_for_clients(username, password, ip), ip=ip)
    raise CredentialsInvalid("This kind of credentials is not known here; send a Bearer token or Basic.")


def actor_of_token(secret: str, ip: str) -> Actor:
    """The actor behind a token. Raises CredentialsInvalid with one text for every cause, AddressNotAllowed, LoginThrottled."""
    holder = holder_of(digest(secret))
    if holder is None or not holder.is_active or holder.facts.is_over(timezone.now()):
        raise _no_token(ip)
    facts = holder.facts
    if not facts.admits(ip):
        raise AddressNotAllowed("This token may not be used from your IP address.")
    usage.touch(facts.id, ip)
    if holder.user_id is None:
        return Actor(name=f"service {facts.name}", roles=holder.roles, grant=facts.grant(), ip=ip)
    return Actor(holder.user_id, holder.username, holder.is_operator, holder.roles, facts.grant(), ip, NamedRights(holder.user_id))


def actor_of_user(user: User, *, ip: str = "", grant: Grant | None = None) -> Actor:
    """The actor of a person, with the roles of this moment."""
    rows = Membership.objects.filter(user=user, is_active=True).values_list("workspace_id", "role")
    roles = {workspace_id: Role(role) for workspace_id, role in rows}
    return Actor(user.pk, user.username, user.is_superuser, roles, grant, ip, NamedRights(user.pk))


def verified_user(username: str, password: str, ip: str) -> User:
    """The active person of that name and password. Throttled before hashing.

    Raises CredentialsInvalid with one text for every cause, LoginThrottled.
    """
    wrong = CredentialsInvalid("User name or password is wrong.")
    if len(password) > PASSWORD_LIMIT or not username or "\x00" in username:
        raise wrong
    user = User.objects.filter(username=username[:64]).first()
    if user is not None and user.is_active and REMEMBERED.knows(user, password):
        return user
    throttle.check(username, ip)
    if user is None:
        make_password(password)  # the same work, so that time does not tell who exists
        good = False
    else:
        good = check_password(password, user.password) and user.is_active
    if user is None or not good:
        throttle.failed(username, ip)
        raise wrong
    REMEMBERED.keep(user, password)
    return user


def verified_for_clients(username: str, password: str, ip: str) -> User:
    """The same for whatever is no browser. Raises also SecondFactorNeeded: such a password opens nothing there."""
    user = verified_user(username, password, ip)
    if SecondFactor.objects.filter(user=user).exists():
        raise SecondFactorNeeded(
            "This account signs in with a second factor, so its password works in the browser only."
            " Run npm login, send a token, or take a login password from the registry's page."
        )
    return user


def _no_token(ip: str) -> CredentialsInvalid:
    """The one error for a token that is unknown, over, or a disabled person's; counted. Raises LoginThrottled."""
    throttle.bad_token(ip)
    return CredentialsInvalid("This token is not valid. Run npm login, or create a new token.")


def _basic(encoded: str) -> tuple[str, str]:
    try:
        username, sign, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise CredentialsInvalid("The Basic credentials cannot be read.") from None
    if not sign:
        raise CredentialsInvalid("The Basic credentials cannot be read.")
    return username, password


class Remembered:
    """Passwords seen good in the last minute, under an HMAC that dies with the process.

    The stored hash is part of the key, so a changed password is forgotten at once.
    """

    def __init__(self) -> None:
        self._key = os.urandom(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def _mac(self, user: User, password: str) -> bytes:
        text = f"{user.pk}\x00{user.password}\x00{password}"
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def knows(self, user: User, password: str) -> bool:
        """Whether this very password was right within the last minute."""
        return self._until.get(self._mac(user, password), 0) > time.monotonic()

    def keep(self, user: User, password: str) -> None:
        """Remember a success."""
        with self._lock:
            self._until[self._mac(user, password)] = time.monotonic() + REMEMBER_SECONDS
            while len(self._until) > REMEMBER_ENTRIES:
                self._until.popitem(last=False)


REMEMBERED = Remembered()
__all__ = ["NOBODY", "actor_for", "actor_of_token", "actor_of_user", "verified_for_clients", "verified_user"]
