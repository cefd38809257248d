"""The cast, in the test's own transaction."""

import pytest
from django.core.cache import cache

from tests.api.cast import Cast, assemble
from upstreams.services.sources import create_upstream
from upstreams.services.wishes import UpstreamWish


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody."""
    cache.clear()
    cast = assemble()
    # Switched off: the test of it asks nobody.
    asleep = UpstreamWish(name="asleep", url="https://registry.example.org", enabled=False)
    create_upstream(actor=cast.actor("alice"), registry=cast.main, wish=asleep)
    return cast
