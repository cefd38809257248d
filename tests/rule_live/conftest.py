"""A workspace on the server that may reach no private network."""

import pytest

from tests.parts.gate import Gate, Place


@pytest.fixture
def strict_place(strict_gate: Gate) -> Place:
    """A fresh workspace there."""
    return strict_gate.workspace()
