"""From a token's columns to the authoriser's `Grant` and `Actor`; shared by the slow and the hot path. Pure."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from workspaces.access import Grant, Scope, parse_scope


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """The columns of a token that decide: as read by either path."""

    id: int
    name: str
    read_only: bool
    registries: Sequence[int] | None
    scopes: Sequence[str] | None
    cidrs: Sequence[str]
    expires_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether the token has expired."""
        return self.expires_at is not None and self.expires_at <= now

    def admits(self, ip: str) -> bool:
        """Whether the token may be used from `ip`."""
        return not self.cidrs or address_in(ip, tuple(self.cidrs))

    def grant(self) -> Grant:
        """What the token leaves of its owner's rights."""
        registries = None if self.registries is None else frozenset(self.registries)
        scopes = None if self.scopes is None else parsed(tuple(self.scopes))
        return Grant(self.id, self.name, self.read_only, registries, scopes)


@lru_cache(maxsize=2048)
def parsed(scopes: tuple[str, ...]) -> tuple[Scope, ...]:
    """Scopes as objects; they were checked when the token was created."""
    return tuple(parse_scope(scope) for scope in scopes)


@lru_cache(maxsize=4096)
def address_in(ip: str, cidrs: tuple[str, ...]) -> bool:
    """Whether `ip` lies in one of `cidrs`; an address that cannot be read lies in none."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in ipaddress.ip_network(cidr) for cidr in cidrs)
