"""How many requests a minute REST takes, and what it says of that: `RateLimit-*` (IETF draft-ietf-httpapi-ratelimit-headers).

Counted by token, else by person, else by address (of IPv6 the /64), in minutes of the clock. Where the shared cache does
not answer nothing is counted: a limit is no reason to refuse everybody.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from tokens.throttle import network
from workspaces.access import Actor
from workspaces.errors import TooManyRequests

WINDOW = 60  # seconds
log = logging.getLogger("gatehouse.api")


@dataclass(frozen=True)
class Standing:
    """What a caller has left of this minute."""

    limit: int
    used: int
    reset: int  # seconds

    @property
    def headers(self) -> dict[str, str]:
        """The same as headers."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(max(self.limit - self.used, 0)),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit};w={WINDOW}",
        }

    def check(self) -> None:
        """Raise TooManyRequests beyond the limit."""
        if self.used > self.limit:
            sentence = f"More than {self.limit} requests a minute; wait {self.reset} seconds."
            raise TooManyRequests(sentence, retry_after=self.reset)


def count(actor: Actor) -> Standing:
    """One request more."""
    return _standing(actor, 1)


def look(actor: Actor) -> Standing:
    """The same without counting: for a request that is counted when it has come whole."""
    return _standing(actor, 0)


def _standing(actor: Actor, more: int) -> Standing:
    who, limit = _caller(actor)
    now = time.time()
    window, reset = int(now // WINDOW), max(1, WINDOW - int(now % WINDOW))
    try:
        used = _counted(f"rest:{who}:{window}", more)
    except (OSError, RedisError) as error:
        log.warning("requests are not counted: %s", type(error).__name__)
        used = 0
    return Standing(limit, used, reset)


def _counted(key: str, more: int) -> int:
    """After `more` were added; one that is not counted stands as the next."""
    if not more:
        return int(cache.get(key, 0)) + 1
    if cache.add(key, more, timeout=2 * WINDOW):
        return more
    try:
        return int(cache.incr(key, more))
    except ValueError:  # it ran out between the two calls
        cache.set(key, more, timeout=2 * WINDOW)
        return more


def _caller(actor: Actor) -> tuple[str, int]:
    limits = settings.REST_PER_MINUTE
    if actor.grant is not None:
        return f"token{actor.grant.token_id}", int(limits["token"])
    if actor.user_id is not None:
        return f"user{actor.user_id}", int(limits["user"])
    return f"address{network(actor.ip)}", int(limits["address"])
