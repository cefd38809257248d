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
    """What we prove ourselves with, as of this moment: variables expanded. `username` is '' for bearer; never keep it."""

    username: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)


def target_of(upstream: Upstream) -> Target:
    """The upstream with its credentials opened and expanded.

    Raises UpstreamUnauthorized when they cannot be read, VariableUnset and VariableUnusable among them.
    """
    trusted: str | None = settings.NPM_UPSTREAM_URL
    return Target(
        name=upstream.name,
        url=upstream.url,
        authorization=authorization_of(upstream),
        is_trusted=trusted is not None and origin_of(upstream.url) == origin_of(trusted),
        allowed=settings.ALLOWED_PRIVATE_NETWORKS,
        connect_timeout=upstream.connect_timeout or settings.UPSTREAM_CONNECT_TIMEOUT,
        read_timeout=upstream.read_timeout or settings.UPSTREAM_READ_TIMEOUT,
        total_timeout=upstream.total_timeout or settings.UPSTREAM_TOTAL_TIMEOUT,
    )


def authorization_of(upstream: Upstream) -> str:
    """The value of the Authorization header, '' without credentials or headers. Raises what `credentials_of` raises."""
    found = credentials_of(upstream) if _in_header(upstream) else None
    if found is None:
        return ""
    header = f"Bearer {found.secret}" if upstream.auth_type == BEARER else basic(found.username, found.secret)
    SECRETS.learn(found.secret, header.partition(" ")[2])
    return header


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
    if not _in_header(upstream):
        username, secret = expanded(upstream, upstream.username, secret, in_header=False)
        return Credentials(username, secret)
    if upstream.auth_type == BEARER:
        return Credentials(secret=_fit(upstream, secret, *expanded(upstream, secret)))
    username, password = expanded(upstream, upstream.username, secret)
    return Credentials(_fit(upstream, upstream.username, username), password)


def _in_header(upstream: Upstream) -> bool:
    """Whether its credentials go into a header: over SSH they are a private key."""
    return upstream.url.startswith(("http://", "https://"))


def _fit(upstream: Upstream, written: str, text: str) -> str:
    """The text, if a header can carry it: a token in ASCII, a user name without a colon (RFC 6750 and 7617)."""
    if text.isascii() if upstream.auth_type == BEARER else ":" not in text:
        return text
    names = ", ".join(f"${{{name}}}" for name in names_in(written))
    what = "a token has to be ASCII" if upstream.auth_type == BEARER else "a user name has no colon"
    sentence = f"Upstream {upstream.name} was not asked: {names or 'its secret'} cannot be sent, for {what}."
    raise VariableUnusable(sentence, upstream=upstream.name)
