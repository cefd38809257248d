"""What stood between a registry and an upstream at the last question, for whoever explains a name without asking anybody.

A failed question leaves no answer behind. One word for each upstream lies in the cache that all processes share: not one for each
name, or whoever asks for many would push other things out of it.
"""

import hashlib
import logging
import threading
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.utils import timezone

from upstreams.errors import (
    HostKeyChanged,
    UpstreamError,
    UpstreamForbiddenAddress,
    UpstreamTimeout,
    UpstreamUnauthorized,
    UpstreamUnreachable,
)
from upstreams.models import Upstream, UpstreamDocument

LIFE = timedelta(days=1)
PAUSE = 2.0  # seconds in which a process writes down the same kind of trouble once
ENTRIES = 4096
# Of any name, and no word about the one it was met with; other trouble is told to those who ask about that name.
OF_ANY_NAME = (UpstreamUnauthorized, UpstreamForbiddenAddress, UpstreamTimeout, UpstreamUnreachable, HostKeyChanged)

log = logging.getLogger(__name__)
_written: dict[tuple[int, str], float] = {}
_lock = threading.Lock()


@dataclass(frozen=True)
class Trouble:
    """A question that failed: why, when, and about which package it was; `is_general`: another would have failed too."""

    sentence: str
    code: str
    at: datetime
    about: str
    is_general: bool


def note(upstream: Upstream, error: UpstreamError, about: str) -> None:
    """Remember it, unless the same kind was just written down. Never raises: the answer is the trouble itself."""
    now = time.monotonic()
    with _lock:
        if now - _written.get((upstream.pk, error.code), -PAUSE) < PAUSE:
            return
        if len(_written) >= ENTRIES:
            _written.clear()
        _written[upstream.pk, error.code] = now
    met = Trouble(error.message[:500], error.code, timezone.now(), about[:300], isinstance(error, OF_ANY_NAME))
    try:
        cache.set(_key(upstream), asdict(met), LIFE.total_seconds())
    except Exception:  # whatever keeps the cache from it
        log.exception("trouble with an upstream could not be remembered")


def last_trouble(upstream: Upstream, folded: str, document: UpstreamDocument | None) -> Trouble | None:
    """What the last question came to, if it failed and concerns that name; None when something was answered since.

    `document`: what the upstream said of the name last.
    """
    met = _met(upstream)
    if met is None:
        return None
    about = met.about.lower()
    if about == folded or about.startswith(f"{folded}@"):
        return met if document is None or document.fetched_at <= met.at else None
    has_answered = UpstreamDocument.objects.filter(upstream=upstream, fetched_at__gt=met.at).exists
    return met if met.is_general and not has_answered() else None


def _met(upstream: Upstream) -> Trouble | None:
    """What was remembered. Whoever asks why something does not come is told the rest of it without the cache, too."""
    try:
        known = cache.get(_key(upstream))
        return Trouble(**known) if known is not None else None
    except Exception:  # whatever keeps the cache from it, or another release wrote there
        log.exception("trouble with an upstream could not be looked up")
        return None


def _key(upstream: Upstream) -> str:
    """Of this address and these credentials: what others met is no news of them."""
    told = (upstream.kind, upstream.url, upstream.index_url, upstream.auth_type, upstream.username, bytes(upstream.secret_sealed).hex())
    return f"upstream-trouble:{upstream.pk}:{hashlib.sha256(repr(told).encode()).hexdigest()[:16]}"
