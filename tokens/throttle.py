"""Failures of password logins, counted in the cache and asked before any hashing; likewise tokens that are not valid.

A minute begins with the first failure. Its beginning is a value of its own: counting one up gives a value of the
file cache a new life of five minutes, so a counter alone would outlast what Retry-After promises.
"""

import hashlib
import ipaddress
import math
import time

from django.conf import settings
from django.core.cache import cache

from tokens.errors import LoginThrottled

WINDOW = 60  # seconds
PER_NAME_AND_ADDRESS = 10
PER_ADDRESS = 60
SIGN_UPS_PER_ADDRESS = 20  # tries; a team behind one address may come at once
LOGINS_PER_ADDRESS = 120  # web logins begun; anybody may, and each is a row until it is over


def check(username: str, ip: str) -> None:
    """Raise LoginThrottled when there were too many failures in the last minute."""
    for key, limit in _counters(username, ip):
        _refuse_beyond(key, limit, "Too many failed logins; wait a minute and try again.")


def failed(username: str, ip: str) -> None:
    """Count one failure."""
    for key, _ in _counters(username, ip):
        _count(key)


def count_login(ip: str) -> None:
    """Count a web login begun from `ip`. Raises LoginThrottled."""
    key = f"weblogin:{network(ip)}"
    _refuse_beyond(key, LOGINS_PER_ADDRESS, "Too many logins were begun from here; wait a minute and try again.")
    _count(key)


def count_sign_up(ip: str) -> None:
    """Count a try to make an account from `ip`: each costs a hash. Raises LoginThrottled."""
    key = f"signup:{network(ip)}"
    _refuse_beyond(key, SIGN_UPS_PER_ADDRESS, "Too many accounts were asked for from here; wait a minute and try again.")
    _count(key)


def bad_token(ip: str) -> None:
    """Count a token that is not valid. Raises LoginThrottled for an address that sprays them (threats.md A13)."""
    key = f"badtoken:{network(ip)}"
    _refuse_beyond(key, settings.BAD_TOKENS_PER_ADDRESS, "Too many tokens that are not valid came from here; wait a minute and try again.")
    _count(key)


def network(ip: str) -> str:
    """What counts as one address: of IPv6 the /64, because every customer has 2^64 addresses."""
    try:
        address = ipaddress.IPv6Address(ip)
    except ValueError:
        return ip
    return str(address.ipv4_mapped or ipaddress.ip_network((int(address), 64), strict=False))


def _refuse_beyond(key: str, limit: int, text: str) -> None:
    since = cache.get(key)
    if since is not None and int(cache.get(f"{key}:{since}", 0)) >= limit:
        left = math.ceil(WINDOW - (time.time() - float(since)))
        raise LoginThrottled(text, retry_after=min(max(left, 1), WINDOW))


def _count(key: str) -> None:
    cache.add(key, f"{time.time():.3f}", timeout=WINDOW)
    counter = f"{key}:{cache.get(key)}"
    if not cache.add(counter, 1, timeout=2 * WINDOW):
        try:
            cache.incr(counter)
        except ValueError:  # it ran out between the two calls
            cache.set(counter, 1, timeout=2 * WINDOW)


def _counters(username: str, ip: str) -> tuple[tuple[str, int], ...]:
    name, place = hashlib.sha256(username.encode("utf-8", "surrogatepass")).hexdigest()[:32], network(ip)
    return ((f"login:{place}:{name}", PER_NAME_AND_ADDRESS), (f"login:{place}", PER_ADDRESS))
