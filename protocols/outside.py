"""What a request looks like from outside: its headers, and the scheme, host and address a trusted proxy vouches for."""

from collections.abc import MutableMapping
from ipaddress import ip_address
from typing import Any

from django.conf import settings

from upstreams.clients.guard import embedded

Scope = MutableMapping[str, Any]
Headers = dict[str, str]


def headers_of(scope: Scope) -> Headers:
    """Header names lower-cased; repeated ones joined; names with an underscore dropped (they would pose as others)."""
    found: Headers = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if "_" not in name:
            found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def outside(scope: Scope, headers: Headers) -> tuple[str, str]:
    """Scheme and address as the outermost trusted proxy saw them; rewrites `host` when a proxy says so."""
    peer: str = scope["client"][0] if scope.get("client") else ""
    scheme: str = scope.get("scheme", "http")
    if not settings.TRUSTED_PROXIES or not _is_trusted(peer):
        return scheme, peer
    forwarded = [item.strip() for item in headers.get("x-forwarded-for", "").split(",") if item.strip()]
    ip: str = next((item for item in reversed(forwarded) if not _is_trusted(item)), peer)
    forwarded_scheme = headers.get("x-forwarded-proto", "").strip().lower()
    scheme = forwarded_scheme if forwarded_scheme in {"http", "https"} else scheme
    if "x-forwarded-host" in headers:
        headers["host"] = headers["x-forwarded-host"].rpartition(",")[2].strip()
    return scheme, ip


def _is_trusted(peer: str) -> bool:
    try:
        address = embedded(ip_address(peer))
    except ValueError:
        return False
    return address is not None and any(network.admits(address, network.port or 0) for network in settings.TRUSTED_PROXIES)
