"""From an Upstream row to what the client needs."""

from dataclasses import dataclass, field

from django.conf import settings

from upstreams.clients.http import Target, basic, origin_of
from upstreams.clients.secrecy import SECRETS
from upstreams.errors import UpstreamUnauthorized, VariableUnusable
from upstreams.models import Upstream
from upstreams.seal import SealBroken, unseal
from upstreams.variables import expanded, names_in

NONE, BEARER = Upstream.AuthType.NONE, Upstream.AuthType.BEARER


@dataclass(frozen=True)
class Credentials:
    """What we prove ourselves with, as of this moment: variables expanded, never to be kept.

    `username` is '' for bearer. `values`: what the variables in the secret stood for.
    """

    username: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)


def target_of(upstream: Upstream) -> Target:
    """The upstream with its credentials opened and expanded.

    Raises UpstreamUnauthorized when they cannot be read, VariableUnset and VariableUnusable among them.
    """
    trusted: str | None = settings.NPM_UPSTREAM_URL
    found = credentials_of(upstream) if _in_header(upstream) else None
    return Target(
        name=upstream.name,
        url=upstream.url,
        authorization=_header(upstream, found) if found is not None else "",
        secrets=found.values if found is not None else (),
        is_trusted=trusted is not None and origin_of(upstream.url) == origin_of(trusted),
        allowed=settings.ALLOWED_PRIVATE_NETWORKS,
        connect_timeout=upstream.connect_timeout or settings.UPSTREAM_CONNECT_TIMEOUT,
        read_timeout=upstream.read_timeout or settings.UPSTREAM_READ_TIMEOUT,
        total_timeout=upstream.total_timeout or settings.UPSTREAM_TOTAL_TIMEOUT,
    )


def credentials_of(upstream: Upstream) -> Credentials | None:
    """User name and secret with their variables expanded; None where it asks for none.

    Raises UpstreamUnauthorized for what cannot be read, VariableUnset and VariableUnusable among them; nobody was asked.
    """
    if upstream.auth_type == NONE:
        return None
    try:
        secret = unseal(bytes(upstream.secret_sealed))
    except SealBroken as error:
        raise UpstreamUnauthorized(f"Upstream {upstream.name}: {error}.", upstream=upstream.name) from None
    user = upstream.username if upstream.auth_type != BEARER else ""
    alone = [f"${{{name}}}" for name in names_in(secret)]
    username, password, *values = expanded(upstream, user, secret, *alone, in_header=_in_header(upstream))
    if _in_header(upstream):
        _check_fit(upstream, *((secret, password) if upstream.auth_type == BEARER else (user, username)))
    return Credentials(username, password, tuple(values))


def _header(upstream: Upstream, found: Credentials) -> str:
    """The value of the Authorization header."""
    header = f"Bearer {found.secret}" if upstream.auth_type == BEARER else basic(found.username, found.secret)
    SECRETS.learn(found.secret, header.partition(" ")[2])
    return header


def _in_header(upstream: Upstream) -> bool:
    """Whether its credentials go into a header: over SSH they are a private key."""
    return upstream.url.startswith(("http://", "https://"))


def _check_fit(upstream: Upstream, written: str, text: str) -> None:
    """A header can carry it: a token is ASCII, a user name has no colon (RFC 6750 and 7617). Raises VariableUnusable."""
    if text.isascii() if upstream.auth_type == BEARER else ":" not in text:
        return
    names = ", ".join(f"${{{name}}}" for name in names_in(written))
    what = "a token has to be ASCII" if upstream.auth_type == BEARER else "a user name has no colon"
    sentence = f"Upstream {upstream.name} was not asked: {names or 'its secret'} cannot be sent, for {what}."
    raise VariableUnusable(sentence, upstream=upstream.name)
