"""Two registries of a team, and REST to move versions between them."""

from typing import Any

import pytest

from tests.moving.street import Street
from tests.npm.conftest import loopback, team
from tests.npm.team import Team

__all__ = ["loopback", "team"]


@pytest.fixture
def street(team: Team, loopback: Any) -> Street:
    """`main` and `prod`, both internal."""
    made = Street(team)
    made.registry("prod")
    return made
