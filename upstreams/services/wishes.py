"""What an upstream is wanted to be, and what it is, in the words of the contract (CONTRACT.md section 4)."""

from dataclasses import dataclass
from typing import TypedDict

from upstreams.models import Upstream


@dataclass(frozen=True, kw_only=True)
class UpstreamWish:
    """An upstream as wanted. `secret`: None keeps what is stored, "" removes it. Times in seconds; None: the installation's own."""

    name: str
    kind: str = "url"
    format: str = "npm"
    url: str = ""
    index_url: str = ""
    index_type: str = "git"
    package_url_pattern: str = ""
    registry: str = ""
    priority: int = 100
    enabled: bool = True
    internal: bool = False
    patterns: tuple[str, ...] = ()
    auth_type: str = "none"
    username: str = ""
    secret: str | None = None
    allow_push: bool = False
    negative_ttl: int | None = None
    connect_timeout: int | None = None
    read_timeout: int | None = None
    total_timeout: int | None = None


class UpstreamChanges(TypedDict, total=False):
    """The fields of a wish that shall change; those not given stay as they are at that moment."""

    name: str
    kind: str
    format: str
    url: str
    index_url: str
    index_type: str
    package_url_pattern: str
    registry: str
    priority: int
    enabled: bool
    internal: bool
    patterns: tuple[str, ...]
    auth_type: str
    username: str
    secret: str | None
    allow_push: bool
    negative_ttl: int | None
    connect_timeout: int | None
    read_timeout: int | None
    total_timeout: int | None


def wish_of(upstream: Upstream) -> UpstreamWish:
    """The upstream as a wish that changes nothing."""
    return UpstreamWish(
        name=upstream.name,
        kind=upstream.kind,
        format=upstream.format,
        url=upstream.url,
        index_url=upstream.index_url,
        index_type=upstream.index_type,
        package_url_pattern=upstream.package_url_pattern,
        registry=upstream.source.slug if upstream.source else "",
        priority=upstream.priority,
        enabled=upstream.is_enabled,
        internal=upstream.is_internal,
        patterns=tuple(upstream.patterns),
        auth_type=upstream.auth_type,
        username=upstream.username,
        allow_push=upstream.allows_push,
        negative_ttl=upstream.negative_ttl,
        connect_timeout=upstream.connect_timeout,
        read_timeout=upstream.read_timeout,
        total_timeout=upstream.total_timeout,
    )


def kind_in_words(upstream: Upstream) -> str:
    """What it is, of which packages."""
    if upstream.kind == Upstream.Kind.GIT:
        return f"Git repository ({upstream.format})"
    if upstream.kind == Upstream.Kind.REGISTRY:
        return "chained registry" if upstream.format == "npm" else f"chained registry ({upstream.format} only)"
    return {"npm": "npm registry", "moonbit": "MoonBit registry"}.get(upstream.format, f"{upstream.format} registry")


def describe(upstream: Upstream) -> dict[str, object]:
    """An upstream in the words of the contract; whether a secret is stored, and its ${…} where it is nothing else, never which."""
    return {
        "name": upstream.name,
        "kind": upstream.kind,
        "format": upstream.format,
        "url": upstream.url,
        "index_url": upstream.index_url,
        "index_type": upstream.index_type,
        "package_url_pattern": upstream.package_url_pattern,
        "registry": upstream.source.slug if upstream.source else "",
        "priority": upstream.priority,
        "enabled": upstream.is_enabled,
        "internal": upstream.is_internal,
        "patterns": upstream.patterns,
        "auth_type": upstream.auth_type,
        "username": upstream.username,
        "has_secret": bool(upstream.secret_sealed),
        "secret_shown": upstream.secret_shown,
        "allow_push": upstream.allows_push,
        "negative_ttl": upstream.negative_ttl,
        "connect_timeout": upstream.connect_timeout,
        "read_timeout": upstream.read_timeout,
        "total_timeout": upstream.total_timeout,
    }
