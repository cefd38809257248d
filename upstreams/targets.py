"""From an Upstream row to what the client needs."""

from django.conf import settings

from upstreams.clients.http import Target, basic, origin_of
from upstreams.errors import UpstreamUnauthorized
from upstreams.models import Upstream
from upstreams.seal import SealBroken, unseal


def target_of(upstream: Upstream) -> Target:
    """The upstream with its credentials opened. Raises UpstreamUnauthorized when they cannot be read."""
    trusted: str | None = settings.NPM_UPSTREAM_URL
    return Target(
        name=upstream.name,
        url=upstream.url,
        authorization=_authorization(upstream),
        is_trusted=trusted is not None and origin_of(upstream.url) == origin_of(trusted),
        allowed=settings.ALLOWED_PRIVATE_NETWORKS,
        connect_timeout=upstream.connect_timeout or settings.UPSTREAM_CONNECT_TIMEOUT,
        read_timeout=upstream.read_timeout or settings.UPSTREAM_READ_TIMEOUT,
        total_timeout=upstream.total_timeout or settings.UPSTREAM_TOTAL_TIMEOUT,
    )


def _authorization(upstream: Upstream) -> str:
    if upstream.auth_type == Upstream.AuthType.NONE:
        return ""
    try:
        secret = unseal(bytes(upstream.secret_sealed))
    except SealBroken as error:
        raise UpstreamUnauthorized(f"Upstream {upstream.name}: {error}.", upstream=upstream.name) from None
    return f"Bearer {secret}" if upstream.auth_type == Upstream.AuthType.BEARER else basic(upstream.username, secret)
