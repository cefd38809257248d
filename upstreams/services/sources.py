"""Adding, changing and removing upstreams; every change bumps the workspace's rule epoch."""

import ipaddress
from dataclasses import dataclass, replace
from typing import TypedDict
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from registries.models import Registry
from upstreams.clients.guard import is_reachable
from upstreams.errors import UpstreamExists, UpstreamInvalid, UpstreamNotFound
from upstreams.models import Upstream
from upstreams.seal import seal
from workspaces.access import Action, Actor
from workspaces.errors import Denied
from workspaces.services.audit import record
from workspaces.services.spaces import bump_rules, check_pattern
from workspaces.slugs import SLUG

HIGHEST_PRIORITY = 1000


@dataclass(frozen=True, kw_only=True)
class UpstreamWish:
    """An upstream as wanted. `secret`: None keeps what is stored, "" removes it."""

    name: str
    kind: str = "url"
    format: str = "npm"
    url: str = ""
    registry: str = ""
    priority: int = 100
    enabled: bool = True
    internal: bool = False
    patterns: tuple[str, ...] = ()
    auth_type: str = "none"
    username: str = ""
    secret: str | None = None


class UpstreamChanges(TypedDict, total=False):
    """The fields of a wish that shall change; those not given stay as they are at that moment."""

    name: str
    kind: str
    format: str
    url: str
    registry: str
    priority: int
    enabled: bool
    internal: bool
    patterns: tuple[str, ...]
    auth_type: str
    username: str
    secret: str | None


def create_upstream(*, actor: Actor, registry: Registry, wish: UpstreamWish) -> Upstream:
    """Add a source to a registry. Raises Denied, UpstreamInvalid, UpstreamExists."""
    _may_manage(actor, registry)
    wish = _checked(registry, wish, has_secret=bool(wish.secret))
    with transaction.atomic():
        if Upstream.objects.filter(registry=registry, name=wish.name).exists():
            raise UpstreamExists(f"An upstream “{wish.name}” exists here already.", fields={"name": "taken"})
        upstream = Upstream(registry=registry)
        _apply(upstream, wish)
        upstream.save()
        bump_rules(registry.workspace_id)
        record(actor, "upstream.created", f"{registry} {wish.name}", workspace=registry.workspace_id, new=describe(upstream))
    return upstream


def change_upstream(*, actor: Actor, upstream: Upstream, changes: UpstreamChanges) -> Upstream:
    """Change a source, judged by the row as it is under the lock: an address never meets a secret that was not its own.

    Another scheme, host or port drops the stored secret: send one along, or 400.

    Raises Denied, UpstreamInvalid (code `secret_required`), UpstreamExists.
    """
    _may_manage(actor, upstream.registry)
    with transaction.atomic():
        fresh = Upstream.objects.select_for_update().select_related("registry__workspace").filter(pk=upstream.pk).first()
        if fresh is None:
            raise UpstreamNotFound("There is no such upstream here.")
        wish = _wanted(fresh, changes)
        moved = origin_of(wish.url) != origin_of(fresh.url)
        if Upstream.objects.filter(registry=fresh.registry, name=wish.name).exclude(pk=fresh.pk).exists():
            raise UpstreamExists(f"An upstream “{wish.name}” exists here already.", fields={"name": "taken"})
        old = describe(fresh)
        _apply(fresh, wish)
        fresh.save()
        if moved:
            fresh.documents.all().delete()
        bump_rules(fresh.registry.workspace_id)
        subject = f"{fresh.registry} {fresh.name}"
        record(actor, "upstream.changed", subject, workspace=fresh.registry.workspace_id, old=old, new=describe(fresh))
    return fresh


def _wanted(fresh: Upstream, changes: UpstreamChanges) -> UpstreamWish:
    """The row with its changes, checked. Raises UpstreamInvalid."""
    wish = replace(wish_of(fresh), **changes)
    moved = origin_of(wish.url) != origin_of(fresh.url)
    if moved and fresh.secret_sealed and wish.secret is None and wish.auth_type != "none":
        raise SecretRequired(
            "The address now has another scheme, host or port, so the stored secret is not carried over; send a secret along.",
            fields={"secret": "required"},
        )
    if moved and wish.secret is None:
        wish = replace(wish, secret="")
    kept = bool(fresh.secret_sealed) and wish.secret is None
    return _checked(fresh.registry, wish, has_secret=kept or bool(wish.secret))


@transaction.atomic
def remove_upstream(*, actor: Actor, upstream: Upstream) -> None:
    """Remove a source. What was pulled from it stays. Raises Denied."""
    _may_manage(actor, upstream.registry)
    old = describe(upstream)
    upstream.delete()
    bump_rules(upstream.registry.workspace_id)
    subject = f"{upstream.registry} {upstream.name}"
    record(actor, "upstream.removed", subject, workspace=upstream.registry.workspace_id, old=old)


def upstream_of(registry: Registry, upstream_id: int) -> Upstream:
    """That upstream of the registry. Raises UpstreamNotFound."""
    found = Upstream.objects.select_related("registry__workspace", "source").filter(registry=registry, pk=upstream_id).first()
    if found is None:
        raise UpstreamNotFound("There is no such upstream here.")
    return found


def wish_of(upstream: Upstream) -> UpstreamWish:
    """The upstream as a wish that changes nothing."""
    return UpstreamWish(
        name=upstream.name,
        kind=upstream.kind,
        format=upstream.format,
        url=upstream.url,
        registry=upstream.source.slug if upstream.source else "",
        priority=upstream.priority,
        enabled=upstream.is_enabled,
        internal=upstream.is_internal,
        patterns=tuple(upstream.patterns),
        auth_type=upstream.auth_type,
        username=upstream.username,
    )


def describe(upstream: Upstream) -> dict[str, object]:
    """An upstream in the words of the contract; whether a secret is stored, never which."""
    return {
        "name": upstream.name,
        "kind": upstream.kind,
        "format": upstream.format,
        "url": upstream.url,
        "registry": upstream.source.slug if upstream.source else "",
        "priority": upstream.priority,
        "enabled": upstream.is_enabled,
        "internal": upstream.is_internal,
        "patterns": upstream.patterns,
        "auth_type": upstream.auth_type,
        "username": upstream.username,
        "has_secret": bool(upstream.secret_sealed),
    }


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address: where its credentials may go. Raises UpstreamInvalid for one that cannot be read."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError:
        raise _refused("url", "The address cannot be read, or has no valid port.") from None
    return parts.scheme, (parts.hostname or "").lower(), port or {"https": 443}.get(parts.scheme, 80)


class SecretRequired(UpstreamInvalid):
    """The address moved and the secret does not go with it."""

    code = "secret_required"


def _may_manage(actor: Actor, registry: Registry) -> None:
    if not actor.may(Action.MANAGE, registry):
        raise Denied("Only admins and owners change a registry's upstreams.")


def _apply(upstream: Upstream, wish: UpstreamWish) -> None:
    upstream.name = wish.name
    upstream.kind = wish.kind
    upstream.format = wish.format
    upstream.url = wish.url
    upstream.priority = wish.priority
    upstream.is_enabled = wish.enabled
    upstream.is_internal = wish.internal
    upstream.patterns = list(wish.patterns)
    upstream.auth_type = wish.auth_type
    upstream.username = wish.username
    if wish.secret is not None or wish.auth_type == "none":
        upstream.secret_sealed = seal(wish.secret) if wish.secret and wish.auth_type != "none" else b""


def _checked(registry: Registry, wish: UpstreamWish, *, has_secret: bool) -> UpstreamWish:
    if not SLUG.fullmatch(wish.name):
        raise _refused("name", "An upstream's name has 1 to 40 lower-case letters, digits and dashes.")
    if wish.kind != Upstream.Kind.URL or wish.format != "npm":
        raise _refused("kind", "Only upstreams of kind “url” and format “npm” can be added yet.")
    if not 0 <= wish.priority <= HIGHEST_PRIORITY:
        raise _refused("priority", f"A priority is a whole number from 0 to {HIGHEST_PRIORITY}; lower is asked first.")
    _check_credentials(wish, has_secret=has_secret)
    patterns = tuple(check_pattern(pattern, "patterns") for pattern in wish.patterns)
    if wish.internal and wish.auth_type != "none" and not patterns:
        sentence = "An internal upstream with credentials needs patterns like @partner/*: an expired credential looks like “not found”."
        raise _refused("patterns", sentence)
    if registry.is_public and wish.auth_type != "none":
        raise _refused("auth_type", "A public registry may have no upstream with credentials.")
    return replace(wish, url=check_address(wish.url), patterns=patterns)


def _check_credentials(wish: UpstreamWish, *, has_secret: bool) -> None:
    """A known kind of credentials, complete, in characters a header can carry."""
    if wish.auth_type not in Upstream.AuthType.values:
        raise _refused("auth_type", "auth_type is “none”, “bearer” or “basic”.")
    if wish.auth_type != "none" and not has_secret:
        raise _refused("secret", f"auth_type “{wish.auth_type}” needs a secret.")
    if wish.auth_type == "basic" and (not wish.username or ":" in wish.username):
        raise _refused("username", "auth_type “basic” needs a username without a colon.")
    if "${" in wish.username + (wish.secret or ""):
        raise _refused("secret", "Variables like ${NAME} in credentials are not expanded yet; give the secret itself.")
    if not (wish.username + (wish.secret or "")).isprintable():
        raise _refused("secret", "A username or secret has printable characters only.")


def check_address(url: str) -> str:
    """An upstream's address, without a trailing slash. Raises UpstreamInvalid for one that may never be reached."""
    _, _, port = origin_of(url)
    parts = urlsplit(url.strip())
    plain = not (parts.username or parts.password or parts.query or parts.fragment) and url.isprintable() and " " not in url.strip()
    if parts.scheme not in {"http", "https"} or not parts.hostname or not plain or len(url) > 500:  # noqa: PLR2004 - the column
        raise _refused("url", "An upstream's address is http(s)://host[:port]/path, without credentials, query or fragment.")
    if settings.NPM_UPSTREAM_URL and origin_of(url) == origin_of(settings.NPM_UPSTREAM_URL):
        return url.strip().rstrip("/")
    literal = _literal(parts.hostname)
    if literal is not None and not is_reachable(literal, port, settings.ALLOWED_PRIVATE_NETWORKS):
        raise _refused("url", f"upstream address {parts.hostname} is not public; allow it with ALLOWED_PRIVATE_NETWORKS")
    return url.strip().rstrip("/")


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address a host name spells without DNS: dotted, decimal, hex or octal forms, and localhost."""
    import socket

    if host.lower().rstrip(".") == "localhost" or host.lower().rstrip(".").endswith(".localhost"):
        return ipaddress.ip_address("127.0.0.1")
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _refused(field: str, sentence: str) -> UpstreamInvalid:
    return UpstreamInvalid(sentence, fields={field: sentence})
