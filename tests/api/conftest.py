"""The cast, in the test's own transaction."""

import pytest
from django.core.cache import cache

from tests.api.cast import Cast, assemble


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody."""
    cache.clear()
    return assemble()
