"""Failures of password logins, counted in the cache; asked before any hashing."""

import hashlib

from django.core.cache import cache

from tokens.errors import LoginThrottled

WINDOW = 60  # seconds
PER_NAME_AND_ADDRESS = 10
PER_ADDRESS = 60
LOGINS_PER_ADDRESS = 120  # web logins begun; anybody may, and each is a row until it is over


def check(username: str, ip: str) -> None:
    """Raise LoginThrottled when there were too many failures in the last minute."""
    for key, limit in _counters(username, ip):
        if int(cache.get(key, 0)) >= limit:
            raise LoginThrottled("Too many failed logins; wait a minute and try again.", retry_after=WINDOW)


def failed(username: str, ip: str) -> None:
    """Count one failure."""
    for key, _ in _counters(username, ip):
        _count(key)


def count_login(ip: str) -> None:
    """Count a web login begun from `ip`. Raises LoginThrottled."""
    key = f"weblogin:{ip}"
    if int(cache.get(key, 0)) >= LOGINS_PER_ADDRESS:
        raise LoginThrottled("Too many logins were begun from here; wait a minute and try again.", retry_after=WINDOW)
    _count(key)


def _count(key: str) -> None:
    if not cache.add(key, 1, timeout=WINDOW):
        try:
            cache.incr(key)
        except ValueError:  # it ran out between the two calls
            cache.set(key, 1, timeout=WINDOW)


def _counters(username: str, ip: str) -> tuple[tuple[str, int], ...]:
    name = hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return ((f"login:{ip}:{name}", PER_NAME_AND_ADDRESS), (f"login:{ip}", PER_ADDRESS))
